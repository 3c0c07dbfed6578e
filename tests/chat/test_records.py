"""A change of a record starts again when somebody else was first, and nothing of the other's change is lost."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatroom.chat.records import retried_on_conflict
from chatroom.model.log import Conflict


class Shelf:
    """One record with a revision; others change it between two steps of a change."""

    def __init__(self, others: int) -> None:
        self.value, self.rev, self._others = 0, 0, others

    @retried_on_conflict
    async def add(self, amount: int) -> int:
        """Add to the value; return the new one."""
        value, rev = self.value, self.rev
        if self._others:
            self._others -= 1
            self._write(self.value + 100, self.rev)
        self._write(value + amount, rev)
        return self.value

    @retried_on_conflict
    async def fail(self) -> None:
        """Fail for another reason."""
        raise ValueError("full")

    def _write(self, value: int, rev: int) -> None:
        if rev != self.rev:
            raise Conflict("shelf")
        self.value, self.rev = value, rev + 1


def result_of(deferred: Deferred[int]) -> int:
    """Return the result of a Deferred that has fired."""
    results: list[int] = []
    deferred.addCallback(results.append)
    return results[0]


def test_a_change_is_made_once_if_nobody_interferes() -> None:
    """Without a conflict, the change happens a single time."""
    assert result_of(Deferred.fromCoroutine(Shelf(others=0).add(1))) == 1


def test_a_change_starts_again_with_what_others_wrote() -> None:
    """Three others are first: the change is made to what they left."""
    shelf = Shelf(others=3)
    assert result_of(Deferred.fromCoroutine(shelf.add(1))) == 301
    assert shelf.rev == 4


def test_other_errors_go_to_the_caller() -> None:
    """Only a conflict starts the change again."""
    errors: list[str] = []
    Deferred.fromCoroutine(Shelf(others=0).fail()).addErrback(lambda failure: errors.append(failure.getErrorMessage()))
    assert errors == ["full"]
