"""For which members a sealed message may have been sealed: nobody who has gone may be among them."""

from __future__ import annotations

from chatroom.chat.rooms.revisions import REMEMBERED, Revisions


def spared(revisions: Revisions, upto: int = 60) -> list[int]:
    """Return the revisions, of those below a number, at which all members are still there."""
    return [rev for rev in range(upto) if revisions.spares(rev)]


def with_two() -> Revisions:
    """Return the revisions of a room to which alice came at 10 and bob at 20."""
    revisions = Revisions()
    revisions.came("alice", 10)
    revisions.came("bob", 20)
    return revisions


def test_who_comes_changes_nothing_for_those_who_were_there() -> None:
    assert spared(with_two(), 30) == list(range(10, 21))


def test_nothing_is_spared_that_was_sealed_for_somebody_who_has_gone() -> None:
    revisions = with_two()
    revisions.went("bob", 30)
    assert spared(revisions) == [*range(10, 20), 30]
    revisions.came("carol", 40)
    assert spared(revisions) == [*range(10, 20), *range(30, 41)]
    revisions.went("alice", 50)
    assert spared(revisions) == [50]


def test_who_comes_back_does_not_bring_back_what_was_sealed_before() -> None:
    revisions = with_two()
    for seq in (30, 50):
        revisions.went("bob", seq)
        revisions.came("bob", seq + 5)
    assert spared(revisions) == [*range(10, 20), *range(30, 35), *range(50, 56)]


def test_changed_devices_count_like_going() -> None:
    revisions = with_two()
    revisions.changed("bob", 30)
    assert spared(revisions) == [*range(10, 20), 30]
    revisions.changed("somebody", 40)
    assert spared(revisions) == [40], "whose devices these are is not known"


def test_what_is_not_known_is_stale() -> None:
    assert spared(Revisions()) == [0]
    moved = Revisions()
    moved.move(10)
    moved.came("alice", 20)
    assert spared(moved) == list(range(10, 21))
    revisions = with_two()
    for number in range(REMEMBERED + 1):
        revisions.came("carol", 100 + 2 * number)
        revisions.went("carol", 101 + 2 * number)
    assert not revisions.spares(15), "the first of so many is forgotten, and everything before its end is stale"
    assert revisions.spares(101)
