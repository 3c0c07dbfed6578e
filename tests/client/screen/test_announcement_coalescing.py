"""One line for one happening: what the server and the room tell of the same login or logout."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client.network import Network, Person
from client.screen.stage import NOW, Stage, on_stage, said
from harness import Client, World
from twisted.internet.task import Clock

from chatroom.client.screen.announcement_coalescing import MOST, WITHIN, AnnouncementCoalescing
from chatroom.model import events as e
from chatroom.model import replies as a

Act = Callable[[World, Client], None]


def log_in(world: World, dora: Client) -> None:
    dora.record(do="login", user="dora", password="secret")


def register(world: World, dora: Client) -> None:
    dora.record(do="register", user="dolly", password="secret")


def log_in_and_join(world: World, dora: Client) -> None:
    dora.record(do="leave")
    log_in(world, dora)
    dora.record(do="join", room="lobby")


def log_in_and_out(world: World, dora: Client) -> None:
    log_in(world, dora)
    world.pass_time(WITHIN + 1)
    dora.record(do="logout")


def log_in_and_be_cut_off(world: World, dora: Client) -> None:
    log_in(world, dora)
    world.pass_time(WITHIN + 1)
    dora.drop()


@pytest.fixture
def me(network: Network) -> Person:
    """I am in the lobby, and dora has an account."""
    program = network.world.program()
    program.record(do="register", user="dora", password="secret")
    program.drop()
    return Person(network, name="me", room="lobby").come()


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (log_in, ["visitor is now known as dora."]),
        (register, ["visitor is now known as dolly."]),
        (log_in_and_join, ["visitor has left the room.", "dora has joined the room."]),
        (log_in_and_out, ["visitor is now known as dora.", "dora is now known as guest-X."]),
        (log_in_and_be_cut_off, ["visitor is now known as dora.", "dora has disconnected."]),
    ],
)
def test_who_is_in_my_room_is_told_of_once(me: Person, tmp_path: Path, act: Act, told: list[str]) -> None:
    """The events are those of a whole server."""
    world = me.network.world
    dora = world.program("visitor", "lobby")
    me.network.flow()
    me.told.clear()
    timed: list[tuple[float, Any]] = []
    me.client._conversation.handler.tell = lambda event: timed.append((world.clock.seconds(), event))
    act(world, dora)
    me.network.flow()
    world.pass_time(0)
    me.network.flow()
    assert any(isinstance(event, e.Arrived) for _, event in timed)

    async def scene(stage: Stage) -> None:
        now = timed[0][0]
        for at, event in timed:
            stage.clock.advance(at - now)
            now = at
            stage.tell(event)
        stage.clock.advance(WITHIN)
        await stage.until(lambda: [re.sub("guest-[a-z0-9]+", "guest-X", row) for row in stage.rows[:-2] if row] == told)

    on_stage(tmp_path, scene)
    me.leave()


def test_who_is_elsewhere_is_announced_and_before_anything_that_they_write(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(e.Arrived("", 0, "dora", "d"))
        stage.tell(e.Private(id="", at=NOW * 1000, by="dora", by_id="d", to="me", text="psst"))
        await stage.shows("dora has entered the chat.", "[lobby]")
        stage.type("\x1b2")
        await stage.shows("dora: psst", "[@dora]")
        stage.tell(e.Departed("", 0, "dora", "d", session=""))
        stage.clock.advance(WITHIN)
        await stage.shows("dora has left the chat.", "[@dora]")

    on_stage(tmp_path, scene)


def test_my_own_login_is_told_by_its_answer(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Account(name="me"))
        stage.tell(e.Renamed("", 0, "guest-abcd", "g", room="lobby", seq=3, session="", name="me", user_id="m"))
        stage.tell(said("hello"))
        await stage.shows("You are logged in as me.", "bob: hello", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_waits_and_what_is_remembered_is_bounded() -> None:
    clock, shown = Clock(), list[Any]()
    once = AnnouncementCoalescing(clock, shown.append)  # type: ignore[arg-type]
    for i in range(2 * MOST):
        once.happened(e.Joined("", 0, f"n{i}", f"j{i}", session=""))
        once.announced(e.Arrived("", 0, f"n{i}", f"a{i}"))
    assert len(shown) == 2 * MOST
    assert len(once._told) == MOST
    assert not clock.getDelayedCalls()


def test_who_comes_goes_and_comes_at_once_is_told_in_the_order_that_holds() -> None:
    clock, shown = Clock(), list[Any]()
    once = AnnouncementCoalescing(clock, shown.append)  # type: ignore[arg-type]
    once.announced(e.Arrived("", 0, "nora", "n"))
    once.announced(e.Departed("", 0, "nora", "n", session=""))
    once.announced(e.Arrived("", 0, "nora", "n"))
    clock.advance(WITHIN)
    assert [type(event) for event in shown] == [e.Departed, e.Arrived]
