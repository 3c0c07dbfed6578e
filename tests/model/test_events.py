"""Every event says what it is, and the sets that the rest of the code uses follow from that."""

from __future__ import annotations

from typing import get_args

import pytest

from chatroom.model import events as e
from chatroom.model import key_events as k
from chatroom.model import replies as a
from chatroom.model.server_events import AccountChanged, GuestResumed, NodeEnded, SessionReplaced
from chatroom.model.wording import ANSWERS, LINES, WITHOUT_WORDS


def test_an_event_that_does_not_say_what_it_is_fails_at_import() -> None:
    known = list(e.EVENTS)
    with pytest.raises(TypeError, match="the event Waved does not say its is_message, changes_members, changes_record"):

        class Waved(e.RoomEvent, frozen=True, gc=False):
            """Forgetful."""

    assert known == e.EVENTS


def test_a_union_that_differs_from_what_the_events_say_fails_at_import() -> None:
    with pytest.raises(TypeError, match="differ about Private"):
        e._written(e.Said | e.Acted, (e.Said, e.Acted, e.Private))


def test_the_sets_of_events() -> None:
    """Written out once more: a slip in a class attribute would change what is stored, searched and shown."""
    assert set(e.MESSAGES) == {e.Said, e.Acted, e.Shared, e.Private, e.SealedMessage} == set(get_args(e.Message))
    assert set(e.ROOM_MESSAGES) == {e.Said, e.Acted, e.Shared, e.SealedMessage}
    assert set(e.MAIL) == {e.Private, e.Shared, e.Invited}
    assert {kind for kind in e.STORED if kind.changes_members} == {
        *(e.Joined, e.Left, e.Disconnected, e.Renamed, e.Kicked, e.Banned, e.Closed)
    }
    assert {kind for kind in e.STORED if kind.changes_record} == {
        *(e.Topic, e.Kicked, e.Banned, e.Unbanned, e.Muted, e.Unmuted, e.Opped, e.Deopped, e.Owned, e.Invited),
        *(e.Locked, e.Unlocked, e.Slowed, e.Encrypted, e.Closed),
    }
    assert {kind for kind in e.STORED if kind.audience is e.Audience.NOBODY} == {
        *(e.Read, e.Expelled, e.Registered, e.Deregistered, e.PasswordChanged, e.BansChanged),
        *(e.Seen, e.Mailed, e.Emptied, k.DevicesListed, k.SealedCame),
        *(k.DeviceTaken, k.FewKeysLeft),
        *(NodeEnded, AccountChanged, GuestResumed, SessionReplaced),
    }
    assert set(a.OF_A_PERSON) == {
        *(e.Private, a.Away, a.Marked, a.Typing, e.Arrived, e.Departed, e.Announced),
        *(e.E2eFrom, a.KeysLow, a.KeysChanged, a.E2eNotice),
    }
    assert set(a.OF_FILES) == {a.Upload, a.Download, a.Chunk}
    assert set(a.OF_THE_CONNECTION) == {a.Ping, a.Shutdown}


def test_what_is_stored_is_what_has_a_place_in_a_log() -> None:
    assert all(issubclass(kind, e.RoomEvent | e.InboxEvent | e.ServerEvent | e.E2eFrom) for kind in e.STORED)
    assert not any(issubclass(kind, e.LogEvent) for kind in a.ANSWERS)
    assert set(e.OF_A_ROOM) == {kind for kind in e.STORED if issubclass(kind, e.RoomEvent)}


def test_one_name_on_the_wire_is_one_record() -> None:
    tags = [kind.__struct_config__.tag for kind in {*a.TOLD, *e.STORED}]
    assert len(set(tags)) == len(tags)
    assert a.Unchanged not in a.TOLD  # the same record as ``account``, in other words for people


def test_every_event_has_words() -> None:
    assert WITHOUT_WORDS == []
    assert set(LINES) == {*e.OF_A_ROOM, *e.MESSAGES, a.OwnPrivate}
    assert {kind for kind in a.TOLD if kind not in LINES} | {a.Unchanged} <= set(ANSWERS)
