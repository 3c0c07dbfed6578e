"""What every kind of ``Rows`` promises."""

from __future__ import annotations

from chatroom.client.crypto.rows import MemoryRows, Rows


def test_a_row_is_read_back_replaced_and_removed() -> None:
    rows: Rows = MemoryRows()
    assert rows.get("contacts", "bob") is None
    rows.put("contacts", "bob", b"one")
    rows.put("contacts", "bob", b"two")
    assert rows.get("contacts", "bob") == b"two"
    rows.delete("contacts", "bob")
    rows.delete("contacts", "bob")
    assert rows.get("contacts", "bob") is None
    assert rows.keys("contacts") == []


def test_tables_are_apart_and_keys_are_sorted() -> None:
    rows: Rows = MemoryRows()
    rows.put("contacts", "carol", b"1")
    rows.put("contacts", "bob", b"2")
    rows.put("sessions", "bob", b"3")
    rows.put("contacts", "", b"4")
    assert rows.keys("contacts") == ["", "bob", "carol"]
    assert rows.keys("sessions") == ["bob"]
    assert rows.keys("none") == []
    assert rows.get("sessions", "bob") == b"3"


def test_what_was_put_does_not_change_with_a_buffer() -> None:
    rows: Rows = MemoryRows()
    buffer = bytearray(b"key")
    rows.put("t", "k", bytes(buffer))
    rows.put("t", "l", buffer)  # type: ignore[arg-type]
    buffer[:] = b"\0\0\0"
    assert rows.get("t", "l") == b"key"


def test_the_repr_shows_no_value() -> None:
    rows = MemoryRows()
    rows.put("t", "k", b"secret")
    assert "secret" not in repr(rows)
