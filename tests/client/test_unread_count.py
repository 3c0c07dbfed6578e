"""Counting what is unread: the server begins, the client goes on."""

from __future__ import annotations

from chatroom.client.unread_count import UnreadCount
from chatroom.model.unread import MOST_COUNTED


def counted(*seqs: int, read: int = 0) -> UnreadCount:
    """Return a count of these messages; every tenth mentions the user."""
    count = UnreadCount()
    count.begin(read, 0, 0, read)
    for seq in seqs:
        count.add(seq, mention=seq % 10 == 0)
    return count


def shown(count: UnreadCount) -> tuple[int, int]:
    return count.unread, count.mentions


def test_messages_after_the_mark_count() -> None:
    count = counted(9, 10, 11, 20, read=9)
    assert shown(count) == (3, 2)
    assert count.mark(10)
    assert (count.read, shown(count)) == (10, (2, 1))
    assert not count.mark(9)
    assert count.read == 10
    count.mark(99)
    assert shown(count) == (0, 0)


def test_what_the_server_has_counted_is_not_counted_again_when_it_is_told() -> None:
    count = UnreadCount()
    count.begin(5, 3, 1, 12)
    count.add(4, mention=True)
    assert shown(count) == (3, 1)
    for seq in (8, 10, 12):
        count.add(seq, mention=seq == 10)
    assert shown(count) == (3, 1)
    count.add(13, mention=False)
    assert shown(count) == (4, 1)


def test_the_history_of_a_room_that_was_never_read_does_not_count() -> None:
    count = UnreadCount()
    count.begin(0, 0, 0, 5000)
    count.add(4999, mention=True)
    assert shown(count) == (0, 0)
    count.add(5001, mention=True)
    assert shown(count) == (1, 1)


def test_a_message_that_was_deleted_while_we_were_away_is_taken_out_once() -> None:
    """The server has not counted it, and its deletion is told after the count."""
    count = counted(6, 7, 8, read=5)
    count.resume(5, 4, 0, 15)
    for seq in (12, 14):
        count.add(seq, mention=False)
    count.delete(7, own=False, at=10)
    assert shown(count) == (4, 0)


def test_a_message_that_mentions_the_user_since_an_edit_while_we_were_away_counts_once() -> None:
    """The server has counted its new text, and the edit is told after the count."""
    count = counted(6, 7, read=5)
    count.resume(5, 3, 1, 15)
    count.edit(6, mention=True)
    count.add(12, mention=False)
    assert shown(count) == (3, 1)


def test_deleted_messages_do_not_count_whether_they_were_told_or_not() -> None:
    count = UnreadCount()
    count.begin(5, 2, 2, 12)
    count.add(20, mention=True)
    count.delete(20, own=False, at=21)
    assert shown(count) == (2, 2)
    count.delete(7, own=False, at=22)
    assert shown(count) == (1, 1)
    count.delete(8, own=True, at=23)
    count.delete(4, own=False, at=24)
    count.delete(9, own=False, at=11)  # the server knew that when it counted
    assert shown(count) == (1, 1)


def test_an_edit_makes_one_mention_or_takes_it_away() -> None:
    count = counted(21, read=20)
    for mention, number in ((True, 1), (True, 1), (False, 0)):
        count.edit(21, mention=mention)
        assert shown(count) == (1, number)
    count.edit(7, mention=True)
    assert shown(count) == (1, 0)


def test_the_mark_of_another_session_empties_the_count() -> None:
    count = UnreadCount()
    count.begin(5, 3, 1, 12)
    count.add(14, mention=True)
    count.marked(12, 1, 1)
    assert shown(count) == (1, 1)
    count.marked(10, 9, 9)
    assert (count.read, shown(count)) == (12, (1, 1))


def test_the_mark_of_another_session_among_messages_that_we_do_not_know() -> None:
    count = UnreadCount()
    count.begin(5, 9, 2, 40)
    count.add(41, mention=True)
    count.marked(20, 4, 1)
    assert shown(count) == (4, 1)


def test_after_a_reconnection_the_servers_count_holds_and_our_newer_mark() -> None:
    count = counted(6, 10, read=5)
    count.resume(7, 3, 1, 15)
    assert shown(count) == (3, 1)
    for seq in (12, 14):
        count.add(seq, mention=False)
    assert shown(count) == (3, 1)
    count = counted(6, 10, read=5)
    count.mark(10)
    count.resume(5, 4, 1, 15)
    count.add(12, mention=False)
    assert (count.read, shown(count)) == (10, (1, 0))


def test_the_count_and_what_it_remembers_are_bounded() -> None:
    count = counted(*range(1, 3 * MOST_COUNTED))
    assert count.unread == MOST_COUNTED
    assert len(count._told) == MOST_COUNTED
    count.mark(3 * MOST_COUNTED - 11)
    assert shown(count) == (10, 1)


def test_who_has_read_the_newest_message_has_read_those_that_were_not_told() -> None:
    """The server counted 30 and told the last 10: the others are older."""
    count = UnreadCount()
    count.begin(read=1, unread=30, mentions=2, last=40)
    for seq in range(30, 40):
        count.add(seq, mention=False)
    assert (count.unread, count.mentions) == (30, 2)
    count.mark(35)
    assert count.unread == 24
    count.mark(39)
    assert (count.unread, count.mentions) == (0, 0)
