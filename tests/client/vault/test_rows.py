"""What every kind of ``Rows`` promises."""

from __future__ import annotations

import pytest
from client.vault.pump import Vaults

from chatroom.client.crypto.rows import MemoryRows, Rows


@pytest.fixture(params=["memory", "vault", "vault that commits"])
def rows(request: pytest.FixtureRequest, vaults: Vaults) -> Rows:
    """Rows of each kind."""
    if request.param == "memory":
        return MemoryRows()
    vault = vaults.open()
    if request.param == "vault that commits":
        put, delete = vault.put, vault.delete

        def put_and_commit(table: str, key: str, value: bytes) -> None:
            put(table, key, value)
            vaults.commit(vault)
            vault._cache.clear()

        def delete_and_commit(table: str, key: str) -> None:
            delete(table, key)
            vaults.commit(vault)

        vault.put, vault.delete = put_and_commit, delete_and_commit  # type: ignore[method-assign]
    return vault


def test_a_row_is_read_back_replaced_and_removed(rows: Rows) -> None:
    assert rows.get("contacts", "bob") is None
    rows.put("contacts", "bob", b"one")
    rows.put("contacts", "bob", b"two")
    assert rows.get("contacts", "bob") == b"two"
    rows.delete("contacts", "bob")
    rows.delete("contacts", "bob")
    assert rows.get("contacts", "bob") is None
    assert rows.keys("contacts") == []


def test_tables_are_apart_and_keys_are_sorted(rows: Rows) -> None:
    rows.put("contacts", "carol", b"1")
    rows.put("contacts", "bob", b"2")
    rows.put("sessions", "bob", b"3")
    rows.put("contacts", "", b"")
    assert rows.keys("contacts") == ["", "bob", "carol"]
    assert rows.keys("sessions") == ["bob"]
    assert rows.keys("none") == []
    assert rows.get("sessions", "bob") == b"3"
    assert rows.get("contacts", "") == b""
    rows.delete("contacts", "bob")
    rows.put("contacts", "dave \ud800", b"4")
    assert rows.keys("contacts") == ["", "carol", "dave \ud800"]
    assert rows.get("contacts", "dave \ud800") == b"4"


def test_a_table_and_a_key_do_not_run_together(rows: Rows) -> None:
    rows.put("ab", "c", b"1")
    assert rows.get("a", "bc") is None
    assert rows.keys("a") == []


def test_what_was_put_does_not_change_with_a_buffer(rows: Rows) -> None:
    buffer = bytearray(b"key")
    rows.put("t", "l", buffer)  # type: ignore[arg-type]
    buffer[:] = b"\0\0\0"
    assert rows.get("t", "l") == b"key"


def test_the_repr_shows_no_value(rows: Rows) -> None:
    rows.put("t", "k", b"secret")
    assert "secret" not in repr(rows)
