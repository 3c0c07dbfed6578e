"""What somebody is asked below the lines of the chat: one question after another, each answered or cancelled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

MOST = 20  # that wait


class Cancelled(Exception):
    """It was not answered: by Ctrl-C, ``/cancel``, an empty line, or because the client ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is asked: its words, whether nobody should see the answer, and the keys of which one answers alone."""

    words: str
    secret: bool
    keys: str = ""
    answer: Deferred[str] = field(default_factory=Deferred)


class Questions:
    """Those that are open.

    Args:
        changed: Called when another question is the current one, or none is.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting: deque[Question] = deque()

    @property
    def current(self) -> Question | None:
        """What is asked now."""
        return self._waiting[0] if self._waiting else None

    def ask(self, words: str, *, secret: bool = False, keys: str = "") -> Deferred[str]:
        """Ask; the answer fails with ``Cancelled`` if there is none.

        Args:
            words: What is shown before the answer.
            secret: The answer is not shown.
            keys: Each of these letters is an answer as soon as it is typed, and an empty line is one, too.
        """
        question = Question(words, secret, keys)
        if len(self._waiting) >= MOST:
            question.answer.errback(Cancelled())
            return question.answer
        self._waiting.append(question)
        if len(self._waiting) == 1:
            self._changed()
        return question.answer

    def answered(self, text: str) -> None:
        """The current question has been answered; ``/cancel`` cancels, and so does an empty line unless keys answer."""
        question = self._waiting[0]
        if text.strip().lower() == "/cancel" or not (text.strip() or question.keys):
            self.cancel()
            return
        self._waiting.popleft()
        self._changed()
        question.answer.callback(text)

    def cancel(self) -> None:
        """The current question is not answered."""
        question = self._waiting.popleft()
        self._changed()
        question.answer.errback(Cancelled())

    def end(self) -> None:
        """Nobody answers any more."""
        while self._waiting:
            self.cancel()
