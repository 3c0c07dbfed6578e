"""What the client in a pipe does when it is refused or loses the server: say so, wait, or give up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.client.opened import PrivateChange
from chatroom.client.status import Connected, Denied, Ended, Gap, Lost, Notice, SecurityNotice
from chatroom.model.errors import ALREADY_LOGGED_IN, IN_USE

TAKING_OVER = "/takeover"
FIRST_LINE_WITHIN = 5.0  # seconds to wait for a first line that is ``/takeover``


class PipeNotices:
    """Follows the state of the connection, and ends the client when it cannot go on.

    Args:
        clock: Tells the time and makes delayed calls.
        complain: Called with each sentence for stderr.
        fail: Ends the client; called with the reason.
        room_refused: Called with the refusal of a room.
        patience: Seconds to try to connect again after the connection is lost; 0: without end.
    """

    def __init__(
        self,
        clock: Any,
        complain: Callable[[str], None],
        fail: Callable[[str], None],
        room_refused: Callable[[str], None],
        patience: float,
    ) -> None:
        self._clock = clock
        self._complain = complain
        self._fail = fail
        self._room_refused = room_refused
        self._patience = patience
        self._was_connected = False
        self._lost = False  # the connection was lost, and the loss was told
        self._giving_up: Any = None
        self._first_line: str | None = None
        self._end_of_input = False
        self._in_use: Denied | None = None  # the account is in use elsewhere, and nothing was decided yet
        self._deciding: Any = None
        self._stopped = False

    def told(self, notice: Notice) -> None:
        """Act on a notice, which tells the state of the client's connection."""
        if isinstance(notice, Connected):
            self._connected(again=notice.again)
        elif isinstance(notice, Ended) or (isinstance(notice, Lost) and not self._was_connected):
            self._fail(notice.why)
        elif isinstance(notice, Lost) and not self._lost and not self._stopped:
            self._wait_for_return(notice.why)
        elif isinstance(notice, Denied) and notice.code in IN_USE:
            self._in_use = notice
            self._deciding = self._clock.callLater(FIRST_LINE_WITHIN, self._decide_on_takeover, late=True)
            self._decide_on_takeover()
        elif isinstance(notice, Denied) and notice.what == "room":
            self._room_refused(notice.text)
        elif isinstance(notice, Denied):
            self._fail(notice.text.rstrip("."))
        elif isinstance(notice, SecurityNotice):
            self._complain(notice.text)
        elif isinstance(notice, PrivateChange):
            self._complain(notice.words.rstrip("."))
        elif isinstance(notice, Gap):
            self._complain(f"some messages sent to {notice.room} in the meantime are not shown")

    def stop(self) -> None:
        """Cancel the delayed calls: the client ends."""
        self._stopped = True
        self._wait_no_longer()
        self._decide_no_more()

    # ---- takeover --------------------------------------------------------------------------------------------------

    def first_line(self, line: str) -> None:
        """Note the first line of the input, which may be ``/takeover``; later lines are ignored."""
        if self._first_line is None:
            self._first_line = line.strip().lower()
            self._decide_on_takeover()

    def end_of_input(self) -> None:
        """Note that the input has ended."""
        self._end_of_input = True
        self._decide_on_takeover()

    def _decide_on_takeover(self, *, late: bool = False) -> None:
        """If the account is in use, go on if the first line is ``/takeover``; otherwise end, with that advice.

        Args:
            late: Whether the time to wait for a first line is over.
        """
        if self._in_use is None or (self._first_line is None and not (late or self._end_of_input)):
            return
        self._decide_no_more()
        denied, self._in_use = self._in_use, None
        if self._first_line != TAKING_OVER:
            why = denied.text.rstrip(".")
            if denied.code == ALREADY_LOGGED_IN.code:
                self._fail(f"{why}; end that session, or give {TAKING_OVER} as the first line to take its place")
            else:
                self._fail(f"{why}; or give {TAKING_OVER} as the first line to take the place of the oldest")

    def _decide_no_more(self) -> None:
        """Cancel the delayed call of ``_decide_on_takeover``."""
        if self._deciding is not None and self._deciding.active():
            self._deciding.cancel()
        self._deciding = None

    # ---- reconnecting ----------------------------------------------------------------------------------------------

    def _connected(self, *, again: bool) -> None:
        self._was_connected, self._lost = True, False
        self._wait_no_longer()
        if again:
            self._complain("connected again")

    def _wait_for_return(self, why: str) -> None:
        """Tell the loss of the connection, and end the client if it does not come back within the patience."""
        self._lost = True
        self._complain(f"{why}; trying to connect again")
        if self._patience:
            self._giving_up = self._clock.callLater(self._patience, self._fail, f"could not connect again: {why}")

    def _wait_no_longer(self) -> None:
        """Cancel the delayed call that ends the client."""
        if self._giving_up is not None and self._giving_up.active():
            self._giving_up.cancel()
        self._giving_up = None
