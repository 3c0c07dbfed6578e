"""What two clients tell each other, sealed, to agree on a direct link; see the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from chatroom.client.direct.candidates import MOST_CANDIDATES, Candidate

ASK = "p2p.ask"
OFFER = "p2p.offer"
ANSWER = "p2p.answer"
REFUSE = "p2p.refuse"

ASK_WITHIN = 120.0  # seconds in which the other user may agree
OFFER_WITHIN = 30.0  # seconds for which an offer or answer is worth dialling
SKEW = 300.0  # seconds by which the two clocks may differ

LinkId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
PinText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Expiry = Annotated[int, Meta(ge=0, le=1 << 40)]  # seconds since 1970


class LinkPeer(NamedTuple):
    """The device at the other end.

    Args:
        user_id: The user's id.
        device: The id of the device.
    """

    user_id: str
    device: str


class LinkAsk(Struct, frozen=True, kw_only=True):
    """Asks the other user for a direct link.

    Args:
        id: A random number in hex, which the other messages repeat.
        exp: When the ask ends, by the asker's clock.
    """

    id: LinkId
    exp: Expiry


class LinkOffer(Struct, frozen=True, kw_only=True):
    """An offer or an answer: where a client listens, and how to know it.

    Args:
        id: The id of the ask.
        fp: The SHA-256 of the client's certificate, made for this attempt, in hex.
        cand: Where the client listens; may be empty.
        exp: When it ends, by the sender's clock.
    """

    id: LinkId
    fp: PinText
    cand: Annotated[tuple[Candidate, ...], Meta(max_length=MOST_CANDIDATES)]
    exp: Expiry


class LinkRefusal(Struct, frozen=True, kw_only=True):
    """Refuses an ask, takes it back, or gives up.

    Args:
        id: The id of the ask.
    """

    id: LinkId


LinkMessage = LinkAsk | LinkOffer | LinkRefusal

_KINDS: dict[str, tuple[type[LinkMessage], float]] = {
    ASK: (LinkAsk, ASK_WITHIN),
    OFFER: (LinkOffer, OFFER_WITHIN),
    ANSWER: (LinkOffer, OFFER_WITHIN),
    REFUSE: (LinkRefusal, 0.0),
}


def read(kind: str, body: Mapping[str, Any], now: float) -> LinkMessage | None:
    """Return a message of the other side, or None if it is not valid, or not valid any more.

    Its end must be neither past nor further away than such a message lasts, give or take ``SKEW``: else one from a
    mailbox could be days old, or one from a wrong clock would never end.

    Args:
        kind: The type, such as ``p2p.ask``.
        body: The body.
        now: Seconds since 1970.
    """
    if kind not in _KINDS:
        return None
    form, lasts = _KINDS[kind]
    try:
        message: LinkMessage = msgspec.convert(dict(body), form)
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(message, LinkRefusal) and not now - SKEW <= message.exp <= now + lasts + SKEW:
        return None
    return message


def ours_stands(me: LinkPeer, other: LinkPeer) -> bool:
    """Return which of two asks stands if both users asked at once: that of the smaller user id, or smaller device."""
    return me < other
