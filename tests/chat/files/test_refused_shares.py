"""What a refused share costs: never a look at each unfinished upload, and nobody else waits for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import wraps
from typing import Any

import pytest
from chat.files.about import account, refused
from harness import Client, World
from sharing import begin, chunk, hear, kept_files, offer, only, share
from twisted.internet.defer import Deferred

from chatroom.chat.files.upload_limits import RECLAIM_EVERY
from chatroom.model.shared_files import CHUNK

CUT = 12  # uploads of which one chunk has come
STORE = 40 * CHUNK


def counted(world: World, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often the engine is asked for each thing from now on."""
    calls: Counter[str] = Counter()

    def count(owner: object, name: str) -> None:
        act: Callable[..., Any] = getattr(owner, name)

        @wraps(act)
        def counting(*args: Any, **options: Any) -> Any:
            calls[name] += 1
            return act(*args, **options)

        monkeypatch.setattr(owner, name, counting)

    for name in ("get", "change", "page"):
        count(world.engine, name)
    for name in ("all", "size", "drop"):
        count(world.engine.blobs, name)
    return calls


def cut_uploads(world: World) -> None:
    """Leave uploads behind of which one chunk has come, each of another account."""
    for number in range(CUT):
        client = account(world, f"cut{number}", "mess")
        data = bytes([number]) * (CHUNK + 1)
        client.send(chunk(begin(client, data), 0, data))
        client.drop()


def test_a_share_beyond_the_own_part_looks_at_no_other_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(World(store=STORE, throttle=False)) as world:
        cut_uploads(world)
        alice = account(world, "alice", "lobby")
        share(alice, b"a")
        calls = counted(world, monkeypatch)
        for number in range(5):
            offer(alice, b"b" * (STORE // 10), f"{number}.txt")
            refused(alice, "too-many-files")
        assert set(calls) == {"get"}
        assert calls["get"] <= 5 * 2


def test_a_full_store_is_looked_through_once_in_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(World(store=STORE, throttle=False)) as world:
        cut_uploads(world)
        clients = [account(world, f"late{number}", "lobby") for number in range(4)]
        calls = counted(world, monkeypatch)
        for number, client in enumerate(clients):
            offer(client, bytes([number]) * STORE)
            refused(client, "store-full")
        assert calls["all"] == 1
        assert calls["size"] == 0
        assert calls["get"] <= 3 * len(clients)
        world.pass_time(RECLAIM_EVERY)
        offer(clients[0], b"x" * STORE)
        refused(clients[0], "store-full")
        assert calls["all"] == 2


def test_who_finds_room_does_not_wait_for_the_look_through_a_full_store(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(World(store=STORE, throttle=False)) as world:
        hog, late, honest = (account(world, name, "lobby") for name in ("hog", "late", "honest"))
        looking: Deferred[set[str]] = Deferred()
        monkeypatch.setattr(world.engine.blobs, "all", lambda: looking)
        for client in (hog, late):
            offer(client, b"h" * (STORE + 1))
            assert hear(client) == []
        share(honest, b"fits")
        hear(hog)
        hear(late)
        looking.callback(set())
        refused(hog, "store-full")
        refused(late, "store-full")


def test_all_who_wait_for_the_look_get_the_room_that_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(World(store=STORE, throttle=False)) as world:
        gone = account(world, "gone", "lobby")
        begin(gone, b"g" * STORE)
        size = world.engine.blobs.size
        monkeypatch.setattr(world.engine.blobs, "size", lambda id: Deferred())
        gone.drop()
        looking: Deferred[set[str]] = Deferred()
        monkeypatch.setattr(world.engine.blobs, "all", lambda: looking)
        clients = [account(world, f"late{number}", "lobby") for number in range(3)]
        for client in clients:
            offer(client, b"waits")
            assert hear(client) == []
        monkeypatch.setattr(world.engine.blobs, "size", size)
        looking.callback(set())
        for client in clients:
            only(client, event="upload")


def test_an_upload_that_ends_before_anything_has_come_leaves_nothing(world: World) -> None:
    alice = world.program("alice", "lobby")
    begin(alice, b"a" * 60)
    alice.drop()
    assert kept_files(world) == []
    assert len(world.chat.files.ledger) == 0


def test_who_begins_again_what_is_given_up_that_moment_may_send_it(world: World) -> None:
    first: Client = account(world, "alice", "lobby")
    begin(first, b"data")
    first.drop()
    again = world.program()
    again.record(do="login", user="alice", password="secret")
    again.record(do="join", room="lobby")
    hear(again)
    share(again, b"data")
