"""What two clients tell each other to agree on a direct link: only valid and timely messages count."""

from __future__ import annotations

from typing import Any

import pytest

from chatroom.client.direct.candidates import Candidate
from chatroom.client.direct.offer import (
    ANSWER,
    ASK,
    ASK_WITHIN,
    OFFER,
    OFFER_WITHIN,
    REFUSE,
    SKEW,
    LinkAsk,
    LinkOffer,
    LinkPeer,
    LinkRefusal,
    ours_stands,
    read,
)

NOW = 1_800_000_000
ID = "0f" * 16
CAND = {"ip": "10.0.0.5", "port": 40000}


def offer(**changes: Any) -> dict[str, Any]:
    """Return the body of an offer."""
    return {"id": ID, "fp": "ab" * 32, "cand": [CAND], "exp": NOW + 30} | changes


def test_valid_messages_are_read() -> None:
    assert read(ASK, {"id": ID, "exp": NOW + 120}, NOW) == LinkAsk(id=ID, exp=NOW + 120)
    expected = LinkOffer(id=ID, fp="ab" * 32, cand=(Candidate(ip="10.0.0.5", port=40000),), exp=NOW + 30)
    assert read(OFFER, offer(), NOW) == expected
    assert read(ANSWER, offer(), NOW) == expected
    assert read(REFUSE, {"id": ID}, NOW) == LinkRefusal(id=ID)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ID},
        offer(id="x"),
        offer(id=ID + "\n"),
        offer(id=ID.upper()),
        offer(id=5),
        offer(fp="ab" * 31),
        offer(fp="AB" * 32),
        offer(fp="ab" * 32 + "\n"),
        offer(fp=None),
        offer(cand=None),
        offer(cand=[CAND] * 9),
        offer(cand=[{"ip": "10.0.0.5"}]),
        offer(cand=[{"ip": "10.0.0.5", "port": 22}]),
        offer(cand=[{"ip": "10.0.0.5", "port": 70000}]),
        offer(cand=[{"ip": "10.0.0.5", "port": True}]),
        offer(cand=[{"ip": "10.0.0.5", "port": "40000"}]),
        offer(cand=[{"ip": "x" * 46, "port": 40000}]),
        offer(cand=["10.0.0.5"]),
        offer(exp=None),
        offer(exp=float(NOW) + 0.5),
        offer(exp=-1),
        offer(exp=1 << 41),
    ],
)
def test_an_invalid_offer_is_none(body: dict[str, Any]) -> None:
    assert read(OFFER, body, NOW) is None
    assert read(ANSWER, body, NOW) is None


def test_eight_candidates_are_allowed_and_none_as_well() -> None:
    assert read(OFFER, offer(cand=[CAND] * 8), NOW) is not None
    assert read(OFFER, offer(cand=[]), NOW) is not None


def test_a_message_of_another_type_is_none() -> None:
    assert read("msg", {"id": ID, "exp": NOW}, NOW) is None


@pytest.mark.parametrize(("kind", "lasts"), [(ASK, ASK_WITHIN), (OFFER, OFFER_WITHIN), (ANSWER, OFFER_WITHIN)])
def test_clocks_may_differ_by_some_minutes_but_nothing_lasts_for_ever(kind: str, lasts: float) -> None:
    earliest, latest = int(NOW - SKEW), int(NOW + lasts + SKEW)
    assert read(kind, offer(exp=earliest), NOW) is not None
    assert read(kind, offer(exp=latest), NOW) is not None
    assert read(kind, offer(exp=earliest - 1), NOW) is None
    assert read(kind, offer(exp=latest + 1), NOW) is None


def test_of_two_asks_exactly_one_stands() -> None:
    alice, bob = LinkPeer("alice", "Z"), LinkPeer("bob", "A")
    assert ours_stands(alice, bob)
    assert not ours_stands(bob, alice)
    assert ours_stands(LinkPeer("alice", "A"), alice)
    assert not ours_stands(alice, alice)
