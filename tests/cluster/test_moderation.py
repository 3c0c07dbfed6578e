"""What moderators do holds for members on all daemons."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster.nodes import Nodes
from harness import Client


@pytest.fixture(params=range(5), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons."""
    nodes = Nodes(request.param)
    yield nodes
    nodes.close()


def codes(nodes: Nodes, client: Client, **fields: object) -> list[str]:
    """Return the codes of the refusals of a command."""
    return [each["code"] for each in nodes.ask(client, **fields) if each["event"] == "error"]


def put_out(client: Client) -> list[tuple[str, str]]:
    """Return who was removed, as a client has heard, and how."""
    return [(each["event"], each["user"]) for each in client.records() if each["event"] in ("kicked", "banned")]


@pytest.mark.parametrize("how", ["kick", "ban"])
def test_a_member_elsewhere_is_put_out(two: Nodes, how: str) -> None:
    olga = two.program(0, "olga", "den")
    victim = two.program(1, "victim", "den")
    assert codes(two, olga, do=how, user="victim") == []
    told = {"kick": "kicked", "ban": "banned"}[how]
    assert put_out(victim) == [(told, "victim")]
    assert codes(two, victim, do="say", text="still here?") == ["not-in-room"]
    assert codes(two, victim, do="join", room="den") == ([] if how == "kick" else ["banned"])


def test_a_banned_address_is_put_out_everywhere(two: Nodes) -> None:
    olga = two.program(0, "olga", "den")
    one, two_ = (two.program(node, f"victim{node}", "den", host="10.9.8.7") for node in (0, 1))
    other = two.program(1, "other", "den", host="10.9.8.8")
    for client in (one, two_, other):
        client.records()
    assert codes(two, olga, do="ban", user="10.9.8.7") == []
    for client in (one, two_):
        assert codes(two, client, do="say", text="still here?") == ["not-in-room"]
    assert sorted(user for _, user in put_out(other) if user.startswith("victim")) == ["victim0", "victim1"]
    assert codes(two, other, do="say", text="I am") == []


def test_a_moderator_at_a_banned_address_stays(two: Nodes) -> None:
    olga = two.program(0, "olga", "den")
    helper = two.program(1, "helper", "den", host="10.9.8.7")
    assert codes(two, olga, do="op", user="helper") == []
    two.ask(olga, do="ban", user="10.9.8.7")
    assert codes(two, helper, do="say", text="still here") == []


def test_a_mute_holds_elsewhere(two: Nodes) -> None:
    olga = two.program(0, "olga", "den")
    victim = two.program(1, "victim", "den")
    assert codes(two, olga, do="mute", user="victim") == []
    assert codes(two, victim, do="say", text="hm") == ["muted"]
