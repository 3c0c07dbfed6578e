"""Questions to the user below the chat's lines: one after the other, each answered or cancelled."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred

MOST = 20  # questions that wait


class Cancelled(Exception):
    """A question was cancelled: by Ctrl-C, ``/cancel`` or an empty line, or because the client ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question to the user.

    Args:
        words: The text before the answer.
        secret: Whether the answer is hidden while it is typed.
        enter: Whether an empty line is an answer.
        answer: Fires with the answer, or fails with ``Cancelled``.
    """

    words: str
    secret: bool
    enter: bool = False
    answer: Deferred[str] = field(default_factory=Deferred)


class Questions:
    """The open questions.

    Args:
        changed: Called when another question, or none, becomes the current one.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting: deque[Question] = deque()

    @property
    def current(self) -> Question | None:
        """The current question; None if there is none."""
        return self._waiting[0] if self._waiting else None

    def ask(self, words: str, *, secret: bool = False, enter: bool = False, first: bool = False) -> Deferred[str]:
        """Ask a question. The Deferred fires with the answer, or fails with ``Cancelled``.

        Args:
            words: The text before the answer.
            secret: Whether the answer is hidden while it is typed.
            enter: Whether an empty line is an answer, and does not cancel the question.
            first: Whether it comes before all questions that wait, the current one included.
        """
        question = Question(words, secret, enter)
        if len(self._waiting) >= MOST and not first:
            question.answer.errback(Cancelled())
            return question.answer
        self._waiting.insert(0 if first else len(self._waiting), question)
        if self.current is question:
            self._changed()
        return question.answer

    def answered(self, text: str) -> None:
        """Answer the current question. ``/cancel`` cancels it; so does an empty line, unless the question takes one."""
        question = self._waiting[0]
        if text.strip().lower() == "/cancel" or not (text.strip() or question.enter):
            self.cancel()
            return
        self._waiting.popleft()
        self._changed()
        question.answer.callback(text)

    def cancel(self) -> None:
        """Cancel the current question."""
        question = self._waiting.popleft()
        self._changed()
        question.answer.errback(Cancelled())

    def end(self) -> None:
        """Cancel all questions, also those that are asked in reaction to a cancellation."""
        while self._waiting:
            self.cancel()
