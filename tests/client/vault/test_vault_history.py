"""The local history: what is noted is found again, in its order, edited and removed; and how much is kept."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from client.vault.pump import Vaults

from chatroom.client.vault import vault_history
from chatroom.client.vault.sealing import Sealer
from chatroom.client.vault.vault import Vault
from chatroom.client.vault.vault_history import NotedMessage


def recent(vaults: Vaults, vault: Vault, place: str, before: int = 0, limit: int = 100) -> list[NotedMessage]:
    """Return the newest messages of a place."""
    return vaults.pump.wait(vault.recent(place, before, limit))


def seqs(messages: Sequence[NotedMessage]) -> list[int]:
    """Return the messages' seqs."""
    return [message.seq for message in messages]


def noted(vault: Vault, place: str, numbers: Sequence[int]) -> None:
    """Note messages whose ids, seqs, times and values are told by a number."""
    for number in numbers:
        vault.note(place, f"i{number}", number, 1000 + number, f"Message {number} of {place}".encode())


def test_what_was_noted_is_found_in_its_order_after_the_vault_is_opened_again(vaults: Vaults) -> None:
    vault = vaults.open()
    numbers = list(range(1, 701))
    random.Random(1).shuffle(numbers)
    noted(vault, "lobby", numbers)
    noted(vault, "other", [5])
    vaults.commit(vault)
    for again in (False, True):
        if again:
            vault = vaults.reopened(vault)
        assert seqs(recent(vaults, vault, "lobby", limit=3)) == [698, 699, 700]
        assert seqs(recent(vaults, vault, "lobby", before=699, limit=2)) == [697, 698]
        assert seqs(recent(vaults, vault, "lobby", before=3)) == [1, 2]
        assert recent(vaults, vault, "lobby", before=1) == recent(vaults, vault, "nowhere") == []
        assert recent(vaults, vault, "other") == [NotedMessage("other", "i5", 5, 1005, b"Message 5 of other")]
        assert len(recent(vaults, vault, "lobby", limit=10_000)) == vault_history.MOST_ANSWERED


def test_what_is_not_committed_yet_is_committed_and_found(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", [1])
    assert seqs(recent(vaults, vault, "lobby")) == [1]
    noted(vault, "lobby", [3])
    noted(vault, "lobby", [2])
    assert seqs(recent(vaults, vault, "lobby")) == [1, 2, 3]
    assert seqs(vaults.pump.wait(vault.search("", ["message"], 10))) == [2, 3, 1]


def test_a_note_is_a_part_of_the_commit(vaults: Vaults) -> None:
    vault = vaults.open()
    vault.put("t", "k", b"v")
    noted(vault, "lobby", [1])
    vaults.commit(vault)
    noted(vault, "lobby", [2])
    copy = vaults.open(folder=vaults.copy("copy"))
    assert seqs(recent(vaults, copy, "lobby")) == [1]
    assert copy.get("t", "k") == b"v"


def test_an_edited_message_stays_edited_when_the_first_one_is_noted_again(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", [1, 2])
    vault.replace("lobby", "i1", b"edited")
    vault.replace("lobby", "nobody's", b"lost")
    vaults.commit(vault)
    noted(vault, "lobby", [1])
    assert [message.value for message in recent(vaults, vault, "lobby")] == [b"edited", b"Message 2 of lobby"]
    vault = vaults.reopened(vault)
    assert [message.value for message in recent(vaults, vault, "lobby")] == [b"edited", b"Message 2 of lobby"]


def test_ids_of_two_places_are_apart(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", [1])
    noted(vault, "other", [1])
    vault.forget("lobby", "i1")
    assert recent(vaults, vault, "lobby") == []
    assert seqs(recent(vaults, vault, "other")) == [1]


def test_a_forgotten_message_is_gone(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", [1, 2, 3])
    assert seqs(recent(vaults, vault, "lobby")) == [1, 2, 3]
    vault.forget("lobby", "i2")
    vault.forget("lobby", "nobody's")
    assert seqs(recent(vaults, vault, "lobby")) == [1, 3]
    vault = vaults.reopened(vault)
    assert seqs(recent(vaults, vault, "lobby")) == [1, 3]
    assert seqs(vaults.pump.wait(vault.search("lobby", ["message"], 10))) == [3, 1]
    noted(vault, "lobby", [2])
    assert seqs(recent(vaults, vault, "lobby")) == [1, 2, 3]


def test_a_message_is_found_by_its_id_before_and_after_it_is_stored(vaults: Vaults) -> None:
    vault = vaults.open()
    assert vault.find("lobby", "i1") is None
    noted(vault, "lobby", [1, 2])
    for step in ("unstored", "stored", "opened again"):
        assert (vault.find("lobby", "i1"), vault.find("other", "i1")) == (b"Message 1 of lobby", None), step
        vaults.commit(vault)
        vault = vaults.reopened(vault) if step == "stored" else vault
    vault.note("lobby", "i1", 1, 1, b"noted again")
    assert vault.find("lobby", "i1") == b"Message 1 of lobby"
    vault.replace("lobby", "i1", b"edited")
    vault.replace("lobby", "nobody's", b"lost")
    assert (vault.find("lobby", "i1"), vault.find("lobby", "nobody's")) == (b"edited", None)
    vault.forget("lobby", "i1")
    assert vault.find("lobby", "i1") is None
    storing = vault.commit()
    assert (vault.find("lobby", "i1"), vault.find("lobby", "i2")) == (None, b"Message 2 of lobby")
    vaults.pump.wait(storing)
    assert (vault.find("lobby", "i1"), vault.find("lobby", "i2")) == (None, b"Message 2 of lobby")


def test_words_are_found_in_any_case_everywhere_or_in_a_place(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", range(1, 500))
    noted(vault, "other", range(1, 500))
    vault.note("lobby", "x", 1000, 1, "Straße, ÉTÉ".encode())
    vaults.commit(vault)

    def search(place: str, *words: str, limit: int = 10, **more: Any) -> list[tuple[str, int]]:
        found = vaults.pump.wait(vault.search(place, words, limit, **more))
        return [(message.place, message.seq) for message in found]

    assert search("", "MESSAGE", "333") == [("other", 333), ("lobby", 333)]
    assert search("lobby", "333", "message") == [("lobby", 333)]
    assert search("", "strasse", "été") == [("lobby", 1000)]
    assert search("nowhere", "message") == search("", "nothing") == []
    assert search("", "message", limit=3) == [("other", 499), ("other", 498), ("other", 497)]
    assert search("", "message", limit=0) == []
    assert search("", "secret", text_of=lambda value: "secret" if value.endswith(b" 7 of lobby") else "") == [
        ("lobby", 7)
    ]
    assert len(search("", "message", limit=10_000)) == vault_history.MOST_ANSWERED


def test_a_search_and_an_index_read_in_bounded_steps(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = vaults.open()
    noted(vault, "lobby", range(1, 1001))
    vault = vaults.reopened(vault)
    opened: list[str] = []
    opening, run = Sealer.open, vault._worker.run
    jobs: list[int] = []

    def counted(self: Sealer, sealed: bytes, *place: str) -> bytes:
        opened.append(place[0])
        return opening(self, sealed, *place)

    def counting(job: Any, *args: Any) -> Any:
        def work() -> Any:
            before = len(opened)
            try:
                return job(*args)
            finally:
                jobs.append(len(opened) - before)

        return run(work)

    monkeypatch.setattr(Sealer, "open", counted)
    monkeypatch.setattr(vault._worker, "run", counting)
    assert vaults.pump.wait(vault.search("", ["nothing"], 5)) == []
    assert jobs == [400] * 5 + [0]  # a label and a value each
    jobs.clear()
    recent(vaults, vault, "lobby", limit=5)
    assert jobs == [200] * 5 + [0, 10]
    jobs.clear()
    statements: list[str] = []
    assert vault._file._db is not None
    vault._file._db.set_trace_callback(statements.append)
    recent(vaults, vault, "lobby", limit=5)
    assert jobs == [0, 10]  # the order is known
    assert len(statements) == 5


def test_a_commit_need_not_wait_for_a_search(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", range(1, 2001))
    vaults.commit(vault)
    searching = vault.search("", ["nothing"], 5)
    vault.put("t", "k", b"v")
    vaults.commit(vault)
    assert not searching.called
    assert vaults.pump.wait(searching) == []


def test_a_message_that_is_noted_while_the_order_is_read_is_in_it_once(vaults: Vaults) -> None:
    vault = vaults.open()
    noted(vault, "lobby", range(1, 600))
    vault = vaults.reopened(vault)
    reading = vault.recent("lobby", 0, 500)
    noted(vault, "lobby", [0, 1000])
    vault.forget("lobby", "i1")
    vault.forget("lobby", "i599")
    vaults.commit(vault)
    vaults.pump.wait(reading)
    assert seqs(recent(vaults, vault, "lobby", limit=3)) == [597, 598, 1000]
    assert seqs(recent(vaults, vault, "lobby", before=4)) == [0, 2, 3]


def test_the_oldest_of_a_place_go(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_history, "MOST_OF_A_PLACE", 50)
    monkeypatch.setattr(vault_history, "SPARE", 5)
    vault = vaults.open()
    noted(vault, "other", range(1, 51))
    noted(vault, "lobby", range(1, 51))
    assert seqs(recent(vaults, vault, "lobby")) == list(range(1, 51))
    noted(vault, "lobby", [51])
    assert seqs(recent(vaults, vault, "lobby")) == list(range(7, 52))
    vault = vaults.reopened(vault)
    assert seqs(recent(vaults, vault, "lobby")) == list(range(7, 52))
    assert seqs(recent(vaults, vault, "other")) == list(range(1, 51))
    noted(vault, "lobby", range(52, 57))
    assert seqs(recent(vaults, vault, "lobby")) == list(range(7, 57))
    noted(vault, "lobby", range(57, 300))
    assert seqs(recent(vaults, vault, "lobby")) == list(range(255, 300))


def test_the_oldest_of_all_go(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_history, "MOST", 50)
    monkeypatch.setattr(vault_history, "SPARE", 5)
    vault = vaults.open()
    noted(vault, "one", [1, 2])
    noted(vault, "two", range(1, 11))
    noted(vault, "three", range(1, 39))
    assert seqs(recent(vaults, vault, "one")) == [1, 2]
    assert len(recent(vaults, vault, "two")) == 10
    noted(vault, "three", [39])
    assert recent(vaults, vault, "one") == []
    assert seqs(recent(vaults, vault, "two")) == [5, 6, 7, 8, 9, 10]
    vault = vaults.reopened(vault)
    noted(vault, "one", [1])
    assert [len(recent(vaults, vault, place)) for place in ("one", "two", "three")] == [1, 6, 39]
    assert vault._reads.execute("SELECT count(*) FROM history").fetchone() == (46,)


def test_the_orders_in_memory_are_bounded(vaults: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_history, "MOST_INDEXED", 3)
    vault = vaults.open()
    for number in range(10):
        noted(vault, f"place {number}", [1, 2])
    for _ in range(2):
        for number in range(10):
            assert seqs(recent(vaults, vault, f"place {number}")) == [1, 2]
            assert len(vault._file.history._orders) <= 3


def test_numbers_and_names_that_cannot_be_stored_are_refused_at_once(vaults: Vaults) -> None:
    vault = vaults.open()
    for seq, at in ((-1, 1), (1, -1), (1 << 63, 1), (1, 1 << 63)):
        with pytest.raises(ValueError, match="63 bits"):
            vault.note("p", "i", seq, at, b"v")
    with pytest.raises(UnicodeError):
        vault.note("p\ud800", "i", 1, 1, b"v")
    with pytest.raises(UnicodeError):
        vault.note("p", "i\ud800", 1, 1, b"v")
    vault.note("p", "i", (1 << 63) - 1, (1 << 63) - 1, b"v")
    assert len(recent(vaults, vault, "p")) == 1


def test_no_content_is_in_a_repr() -> None:
    assert "secret" not in repr(NotedMessage("p", "i", 1, 1, b"secret"))
    assert "secret" not in repr(vault_history.ReplacedMessage("p", "i", b"secret"))
