"""Argon2id, with small parameters: what it tells, on which threads, and how many may wait."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList

from chatroom.chat.people import passwords
from chatroom.chat.people.passwords import Argon2, Busy, ThreadedPasswords, is_hash


def small() -> Argon2:
    """Return one that is quick."""
    return Argon2(memory=8, rounds=1)


@pytest.fixture
def threaded() -> Iterator[ThreadedPasswords]:
    made = ThreadedPasswords(reactor, small())
    made.start()
    yield made
    made.stop()


def test_a_hash_is_its_passwords_alone() -> None:
    argon2 = small()
    hashed = argon2.hash("s\u00e9cret")
    assert hashed.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert argon2.verify(hashed, "s\u00e9cret")
    assert not argon2.verify(hashed, "secret")
    assert argon2.hash("s\u00e9cret") != hashed, "each has a salt of its own"


@pytest.mark.parametrize("hashed", ["", "nonsense", "$argon2id$", "$2b$12$abc", "plain"])
def test_what_is_no_hash_is_no_passwords(hashed: str) -> None:
    assert not small().verify(hashed, "plain")
    assert not small().verify(hashed, "")
    assert not is_hash(hashed)


def test_an_empty_hash_costs_what_any_other_does(monkeypatch: pytest.MonkeyPatch) -> None:
    argon2 = small()
    looked: list[str] = []
    verify = argon2._hasher.verify

    class Watched:
        def verify(self, hashed: str, password: str) -> bool:
            looked.append(hashed)
            return verify(hashed, password)

    monkeypatch.setattr(argon2, "_hasher", Watched())
    assert not argon2.verify("", "secret")
    assert looked[0].startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_by_default_the_parameters_are_those_of_the_design() -> None:
    hashed = Argon2().hash("secret")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_hash(hashed)
    assert not Argon2().outdated(hashed)
    assert Argon2().outdated(small().hash("secret"))


async def test_it_is_done_on_threads_of_its_own_that_are_nicer_than_the_reactors() -> None:
    seen: list[tuple[str, int]] = []

    class Watched(Argon2):
        def hash(self, password: str) -> str:
            seen.append((threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
            return super().hash(password)

    own = ThreadedPasswords(reactor, Watched(memory=8, rounds=1))
    own.start()
    hashed = await own.hash("secret")
    assert await own.verify(hashed, "secret")
    assert not await own.verify(hashed, "wrong")
    assert not own.outdated(hashed)
    own.stop()
    ((name, nice),) = seen
    assert name.startswith("PoolThread-passwords")
    assert nice == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)


async def test_they_are_nicer_than_a_reactor_that_is_nice_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when somebody makes it so while it runs; 19 is the end."""
    mine = threading.get_native_id()
    nices = {mine: 4}  # of the threads; a new one has its maker's
    monkeypatch.setattr(os, "getpriority", lambda which, who: nices.setdefault(who, 4))
    monkeypatch.setattr(os, "setpriority", lambda which, who, nice: nices.update({who: nice}))
    seen: list[int] = []

    class Watched(Argon2):
        def hash(self, password: str) -> str:
            seen.append(nices[threading.get_native_id()])
            return ""

    own = ThreadedPasswords(reactor, Watched(memory=8, rounds=1))
    own.start()
    for nices[mine] in (4, 7, 16, 19):
        await own.hash("secret")
    own.stop()
    assert seen == [14, 17, 19, 19]


async def test_at_most_two_at_a_time_and_so_many_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 6)
    go, most, lock = threading.Event(), [0, 0], threading.Lock()

    class Slow(Argon2):
        def verify(self, hashed: str, password: str) -> bool:
            with lock:
                most[0] += 1
                most[1] = max(most)
            go.wait(10)
            with lock:
                most[0] -= 1
            return True

    own = ThreadedPasswords(reactor, Slow(memory=8, rounds=1))
    own.start()
    waiting = [own.verify("", "secret") for _ in range(6)]
    with pytest.raises(Busy):
        await own.verify("", "secret")
    with pytest.raises(Busy):
        await own.hash("secret")
    go.set()
    assert await DeferredList(waiting) == [(True, True)] * 6
    assert most[1] <= passwords.THREADS == 2
    assert await own.verify("", "secret"), "there is room again"
    own.stop()


async def test_an_error_gives_the_place_back_and_holds_no_password(
    threaded: ThreadedPasswords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 1)

    def broken(password: str) -> Any:
        raise MemoryError

    monkeypatch.setattr(threaded._argon2, "hash", broken)
    for _ in range(3):
        failed: Deferred[Any] = threaded.hash("hunter2")
        with pytest.raises(MemoryError) as raised:
            await failed
        assert "hunter2" not in str(raised.value)
