"""Settings: alone they are shown, with whose they are; and whom one ignores is the same here and on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.network import Network, Person
from client.screen.stage import Stage, on_stage, said

from chatroom.client.errors import Rejected
from chatroom.client.screen.ignore_list import IgnoreList
from chatroom.client.screen.presenter import Filter
from chatroom.client.status import Connected
from chatroom.model import events as e
from chatroom.model import replies as a

HERE = " (this client keeps this until you quit)."


@pytest.mark.parametrize(
    ("command", "changed", "before", "after"),
    [
        (
            "/bell",
            "all",
            "the bell rings for private messages and your name",
            "the bell rings for every message",
        ),
        ("/timestamps", "off", "timestamps are on", "timestamps are off"),
        ("/focus", "BOB", "you see everybody", "you see only messages from bob; /focus off ends it"),
    ],
)
def test_a_setting_of_the_client_is_shown_when_it_stands_alone(
    tmp_path: Path, command: str, changed: str, before: str, after: str
) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"{command}\r{command}\r")
        await stage.shows(f"-- {before}{HERE}", f"-- {before}{HERE}", "[lobby]")
        stage.type(f"{command} {changed}\r{command}\r")
        await stage.shows(f"-- {after}{HERE}", f"-- {after}{HERE}", "[lobby]")
        assert stage.client.did == []

    on_stage(tmp_path, scene, size=(120, 24), timestamps=True)


def test_focus_takes_only_names_that_somebody_has(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/focus bob nosuch\r")
        await stage.until(lambda: stage.client.did == [("whois", {"user": "nosuch"})])
        stage.client.refuse("no user named nosuch; see /who.", "no-user")
        await stage.shows("Error: no user named nosuch; see /who.", "[lobby]")
        stage.tell(said("still seen", by="carl"))
        await stage.shows("carl: still seen", "[lobby]")
        stage.type("/focus away\r")
        await stage.until(lambda: stage.client.did[1:] == [("whois", {"user": "away"})])
        person = a.Person(name="away", account=True)
        stage.tell(person)
        stage.client.answers.pop().callback(person)
        told = f"-- you see only messages from away; /focus off ends it{HERE}"
        await stage.shows("carl: still seen", told, "[lobby]")
        stage.type("/focus carl\r")  # carl has been heard: the server need not be asked
        await stage.shows(told, told.replace("away", "away, carl"), "[lobby]")
        assert len(stage.client.did) == 2
        stage.tell(a.Person(name="dora", account=False))
        await stage.shows("dora is a guest, offline.", "[lobby]")

    on_stage(tmp_path, scene, size=(120, 24))


@pytest.mark.parametrize("typed", ["on", "ON", "bob off", "on off"])
def test_focus_on_is_no_name(tmp_path: Path, typed: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"/focus {typed}\r")
        await stage.shows("Error: usage: /focus [user ...|off].", "[lobby]")
        assert (stage.screen.filter.focus, stage.client.did) == (set(), [])

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("guest", "whose"), [(True, "while you are connected"), (False, "with your account")], ids=["guest", "account"]
)
def test_all_settings_are_shown_together_with_who_keeps_them(tmp_path: Path, guest: bool, whose: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.guest = guest
        stage.type("/set\r")
        await stage.until(lambda: stage.client.did == [("set", {})])
        settings = a.Settings(False, False, "lunch", ["Dora"])
        stage.tell(settings)
        stage.client.answers.pop().callback(settings)
        await stage.shows(
            f"The server keeps {whose}:",
            "  Echo is off.",
            "  You are away: lunch",
            "  You ignore Dora.",
            "-- this client keeps until you quit:",
            "--   the bell rings for private messages and your name.",
            "--   timestamps are off.",
            "--   you see everybody.",
            "[lobby]",
        )
        stage.tell(a.Settings(True, False, "", [], changed="echo"))
        await stage.shows(f"Echo is on (the server keeps this {whose}).", "[lobby]")

    on_stage(tmp_path, scene)


def test_the_clients_settings_are_shown_without_a_connection(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/set\r")
        await stage.until(lambda: stage.client.answers)
        stage.client.refuse("there is no connection.", "offline")
        await stage.shows("--   you see everybody.", "Error: there is no connection.", "[lobby]")

    on_stage(tmp_path, scene)


def test_whom_one_ignores_the_server_is_told_and_tells(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/ignore Dora\r")
        await stage.until(lambda: stage.client.did == [("ignore", {"user": "Dora", "on": True})])
        stage.tell(a.Settings(True, False, "", ["Dora"], changed="ignored"))
        told = "You ignore Dora (the server keeps this while you are connected)."
        await stage.shows(told, "[lobby]")
        stage.tell(said("unseen", by="dora"), said("seen", by="bea"))
        await stage.shows(told, "bea: seen", "[lobby]")
        stage.type("/ignore\r")
        await stage.until(lambda: stage.client.did[1:] == [("ignore", {})])
        stage.type("/ignore Dora  off\r")
        await stage.until(lambda: stage.client.did[2:] == [("ignore", {"user": "Dora", "on": False})])
        stage.tell(a.Settings(True, False, "", [], changed="ignored"), said("seen again", by="dora"))
        await stage.shows(told.replace("Dora", "nobody"), "dora: seen again", "[lobby]")
        stage.type("/ignore zed\r")
        await stage.until(lambda: stage.client.did[3:])
        stage.client.refuse("no user named zed; see /who.")
        await stage.shows("Error: no user named zed; see /who.", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_is_remembered_of_a_guest_is_given_to_the_server_again(tmp_path: Path) -> None:
    (tmp_path / "screen.json").write_text('{"ignored":["dora","emil"]}')

    async def scene(stage: Stage) -> None:
        stage.tell(Connected("chatroom", "me", True, "plain"))
        assert ("ignore", {"user": "dora", "on": True}) in stage.client.did
        answer = stage.client.answers[[do for do, _ in stage.client.did].index("ignore")]
        settings = a.Settings(True, False, "", ["Dora"], changed="ignored")
        stage.tell(settings)
        answer.callback(settings)
        assert stage.client.did[-1] == ("ignore", {"user": "emil", "on": True})
        stage.client.refuse("no user named emil; see /who.")
        stage.tell(said("unseen", by="emil"), said("seen"))
        await stage.shows("bob: seen", "[lobby]")
        assert not any("gnore" in row or "emil" in row for row in stage.rows)
        stage.tell(a.Settings(True, False, "", ["Dora"], changed="ignored"))
        await stage.shows("You ignore Dora, emil (the server keeps this while you are connected).", "[lobby]")
        assert stage.screen.ignoring.remembered == ["dora", "emil"]

    on_stage(tmp_path, scene)


def test_a_list_is_the_accounts_after_a_login(network: Network) -> None:
    """With a whole server: the guest's list is forgotten, the account's is heard, and comes back after a cut."""
    world = network.world
    program = world.program()
    program.record(do="register", user="una", password="secret")
    program.drop()
    for name in ("dora", "emil"):
        world.program(name, "lobby")
    una = Person(network, name="visitor", room="lobby").come()
    filter = Filter()

    def ask(do: str, answer: type[e.Event], **fields: Any) -> Any:
        return una.client.do(do, **fields).addCallbacks(heard, lambda failure: failure.trap(Rejected) and None)

    def heard(settings: Any) -> Any:
        if isinstance(settings, a.Settings):
            ignoring.heard(settings)
        return settings

    ignoring = IgnoreList(una.client, filter, ask)
    heard(una.do("ignore", user="dora"))
    assert (filter.ignored, ignoring.remembered) == ({"dora"}, ["dora"])
    una.do("login", user="una", password="secret")
    ignoring.changed_user()
    network.flow()
    assert filter.ignored == set()
    heard(una.do("ignore", user="EMIL"))
    assert (filter.ignored, ignoring.remembered) == ({"emil"}, [])
    assert heard(una.do("ignore")).changed == "ignored"
    una.leave()
