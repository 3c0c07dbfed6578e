"""An encrypted room stays encrypted, whatever the server says later."""

from __future__ import annotations

import pytest

from chatroom.client.crypto import encrypted_rooms
from chatroom.client.crypto.encrypted_rooms import EncryptedRooms, RoomStanding
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.rows import MemoryRows


@pytest.fixture
def rows() -> MemoryRows:
    return MemoryRows()


@pytest.fixture
def rooms(rows: MemoryRows) -> EncryptedRooms:
    return EncryptedRooms(rows)


def test_a_room_that_was_never_encrypted_is_plain(rooms: EncryptedRooms) -> None:
    assert rooms.see("1", "lobby", False) is RoomStanding.PLAIN
    rooms.check_plain("1", "lobby")


def test_a_room_becomes_encrypted_and_stays_so(rows: MemoryRows, rooms: EncryptedRooms) -> None:
    rooms.see("1", "lobby", False)
    assert rooms.see("1", "lobby", True) is RoomStanding.ENCRYPTED
    assert rooms.see("1", "lobby", True) is RoomStanding.ENCRYPTED
    for again in (rooms, EncryptedRooms(rows)):
        assert again.see("1", "lobby", False) is RoomStanding.DOWNGRADED
        with pytest.raises(CryptoRefusal, match="lobby is encrypted"):
            again.check_plain("1", "lobby")


def test_nothing_goes_in_plain_to_a_renamed_room(rooms: EncryptedRooms) -> None:
    rooms.see("1", "lobby", True)
    assert rooms.see("1", "hall", False) is RoomStanding.DOWNGRADED
    with pytest.raises(CryptoRefusal, match="hall is encrypted"):
        rooms.check_plain("1", "hall")


@pytest.mark.parametrize("name", ["lobby", "LOBBY"])
def test_nothing_goes_in_plain_to_a_new_room_of_the_same_name(rooms: EncryptedRooms, name: str) -> None:
    rooms.see("1", "Lobby", True)
    assert rooms.see("2", name, False) is RoomStanding.REMADE_PLAIN
    with pytest.raises(CryptoRefusal, match="is encrypted"):
        rooms.check_plain("2", name)


def test_a_room_that_was_closed_and_made_again_is_told(rooms: EncryptedRooms) -> None:
    rooms.see("1", "lobby", True)
    assert rooms.see("2", "lobby", True) is RoomStanding.REMADE
    assert rooms.see("2", "lobby", True) is RoomStanding.ENCRYPTED
    assert rooms.see("1", "elsewhere", False) is RoomStanding.DOWNGRADED


def test_other_rooms_are_not_touched(rooms: EncryptedRooms) -> None:
    rooms.see("1", "lobby", True)
    assert rooms.see("lobby", "1", False) is RoomStanding.PLAIN
    rooms.check_plain("lobby", "1")


def test_a_room_that_cannot_be_remembered_is_refused(rooms: EncryptedRooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encrypted_rooms, "MOST_ROOMS", 1)
    rooms.see("1", "lobby", True)
    with pytest.raises(CryptoRefusal, match="too many"):
        rooms.see("2", "hall", True)
    assert rooms.see("1", "lobby", True) is RoomStanding.ENCRYPTED
