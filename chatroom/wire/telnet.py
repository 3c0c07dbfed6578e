"""Telnet taken out of a byte stream: what the person typed goes in as bytes and comes out without the protocol.

The one idea: nobody is asked whether they use telnet.  The byte 0xFF (IAC) never occurs in UTF-8, so its first command
gives a telnet client away; until then, and for nc always, bytes pass untouched.  The server is a plain network virtual
terminal that wants two things only: to hide what is typed at a password question (ECHO), and eight-bit input (BINARY).
All else is refused, and nothing the peer says about itself (NEW-ENVIRON, NAWS, TERMINAL-TYPE) is looked at.

Sources: RFC 854 (commands, CR NUL, Are You There), 855 (options, subnegotiation), 856 (BINARY), 857 (ECHO),
860 (TIMING-MARK), 885 and 1184 (the commands 236 to 239), 1143 (negotiating without loops).

What a client does, seen with Debian 12's telnet (inetutils 2.4) where nothing else is named:

* Ctrl-C sends IP and DO TIMING-MARK, and shows nothing until TIMING-MARK is answered: each one is answered WONT.
  Ctrl-Z does the same with SUSP (237), so the commands below 240 must be known too.
* It sends and shows UTF-8 as it is; BSD's source strips the eighth bit of what is typed unless it agreed to BINARY.
* After WILL BINARY a line ends in a bare LF.  PuTTY's source says it then sends a bare CR for the Enter key, and there
  are clients that always do; so each CR of a telnet client ends a line.  Of nc's input only CR LF and CR NUL do: a bare
  CR there is as likely part of a text, such as a progress bar's.
* PuTTY, once ECHO was announced, sends each key at once: Backspace as DEL or BS, which are left in the text, and which
  EC and EL become (see chatroom.wire.line_editing).
* If we agreed to DO BINARY, it would stop turning LF into CR LF on the user's own screen.  It shows UTF-8 without that,
  so this direction is refused.
* SUPPRESS-GO-AHEAD would end its line editing: after WILL SGA it sends each key at once.  It is neither offered nor
  agreed to.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from chatroom.wire.line_editing import ERASE, KILL

# Commands, by the names of RFC 854.  Those from FIRST_COMMAND (EOF, RFC 1184) to SE are later additions.
IAC: Final = 255
DONT: Final = 254
DO: Final = 253
WONT: Final = 252
WILL: Final = 251
SB: Final = 250
AYT: Final = 246
EC: Final = 247
EL: Final = 248
SE: Final = 240
FIRST_COMMAND: Final = 236

# Options.
BINARY: Final = 0
ECHO: Final = 1

MAX_NEGOTIATIONS: Final = 64
MAX_SUBNEGOTIATION: Final = 256

# Characters of the network virtual terminal.
NUL: Final = 0
LF: Final = 10
CR: Final = 13

_LINE_END: Final = re.compile(rb"\r[\n\0]?")


class NegotiationAbuse(Exception):
    """The peer negotiates more than any telnet client would; str() of it says what it did and is fit to show."""


class _Phase(Enum):
    """What the next byte belongs to."""

    TEXT = "text"
    COMMAND = "the byte after IAC"
    OPTION = "the byte after IAC DO, DONT, WILL or WONT"
    SUBNEGOTIATION = "after IAC SB"
    SUBNEGOTIATION_IAC = "the byte after an IAC inside a subnegotiation"
    ABUSE = "nothing is read any more"


class _PeerBinary(Enum):
    """RFC 1143's state of BINARY on the peer's side; it is asked for with the first command, so ASKED comes first."""

    ASKED = "WANTYES"
    ON = "YES"
    OFF = "NO"


class _PendingCr(Enum):
    """What has been made of a CR that ended the text so far, as long as its second half may come."""

    PASSED = "passed on alone: a NUL next, or proof that this is a telnet client, completes the line end"
    ENDED_LINE = "passed on as a line end: an LF or NUL next belongs to it"


class TelnetFilter:
    """The telnet side of one connection: takes what arrives, returns the text in it, and answers the rest itself.

    However the stream is cut into packets, the text and the answers are the same.  Nothing is buffered: the filter
    remembers only where in a command it stands.

    Attributes:
        seen: A telnet command has come, so the peer is a telnet client.  A stray 0xFF does not count, nor does an
            IAC IAC, which is data.
    """

    __slots__ = (
        "_abuse",
        "_echo",
        "_echo_unanswered",
        "_negotiations",
        "_peer_binary",
        "_pending_cr",
        "_phase",
        "_reply",
        "_subnegotiation_size",
        "_verb",
        "seen",
    )

    def __init__(self, reply: Callable[[bytes], None]) -> None:
        """Start at the beginning of a connection, sending nothing.

        Args:
            reply: Sends bytes to the peer, as a transport's write does; called during the other methods.
        """
        self.seen = False
        self._reply = reply
        self._phase = _Phase.TEXT
        self._pending_cr: _PendingCr | None = None
        self._verb = 0
        self._subnegotiation_size = 0
        self._negotiations = 0
        self._peer_binary = _PeerBinary.ASKED
        self._echo = False
        self._echo_unanswered = 0
        self._abuse = ""

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes from the peer and answer the commands among them.

        A NUL after CR is returned as LF, so CR NUL reads CR LF; a telnet client's CR with neither reads CR LF as well.
        IAC IAC is returned as one 0xFF, EC as DEL, EL as Ctrl-U.  A 0xFF before a byte that is no command is dropped
        and that byte kept; but while input is hidden the 0xFF is kept, too, for two different passwords must not become
        one.

        Args:
            data: A packet, cut anywhere.

        Returns:
            The text in it; the very same object if it holds no command and no line end that needs mending.

        Raises:
            NegotiationAbuse: Over 64 negotiations (questions whether we are there included), or a subnegotiation over
                256 bytes.  The text before it in this packet is lost, and every later call raises the same again.
        """
        if self._phase is _Phase.TEXT and IAC not in data:
            return self._line_ends(data)
        if self._abuse:
            raise NegotiationAbuse(self._abuse)
        text = bytearray()
        position = 0
        while position < len(data):
            position = self._step(data, position, text)
        return bytes(text)

    def hide_input(self) -> None:
        """Ask the client not to show what is typed: IAC WILL ECHO, though we echo nothing.  Nothing if hidden already.

        Sent even while `seen` is false: Debian's telnet says nothing of itself unless spoken to.
        """
        self._set_echo(True)

    def show_input(self) -> None:
        """Let the client show what is typed again: IAC WONT ECHO.  Nothing if it was not hidden (any more)."""
        self._set_echo(False)

    def end_hidden_line(self) -> None:
        """Let the client show what is typed again, on a new line: it has hidden the line end, too."""
        self.show_input()
        if self.seen:  # nc hides nothing, so it has shown the line end
            self._reply(b"\r\n")

    # --- where a command begins and ends -----------------------------------------------------------------------------

    def _step(self, data: bytes, position: int, text: bytearray) -> int:
        """Take what comes next at the position; return the position after it."""
        if self._phase is _Phase.TEXT:
            return self._take_text(data, position, text)
        if self._phase is _Phase.SUBNEGOTIATION:
            return self._skip_subnegotiation(data, position)
        if self._phase is _Phase.COMMAND:
            self._take_command(data[position], text)
        elif self._phase is _Phase.OPTION:
            self._take_option(data[position])
        else:
            self._end_subnegotiation(data[position])
        return position + 1

    def _take_text(self, data: bytes, position: int, text: bytearray) -> int:
        end = data.find(IAC, position)
        if end < 0:
            text += self._line_ends(data[position:])
            return len(data)
        text += self._line_ends(data[position:end])
        self._phase = _Phase.COMMAND
        return end + 1

    def _take_command(self, byte: int, text: bytearray) -> None:
        self._phase = _Phase.TEXT
        if byte == IAC:
            text += self._line_ends(bytes((IAC,)))
        elif byte < FIRST_COMMAND:
            if self._echo:
                text += self._line_ends(bytes((IAC,)))
            text += self._line_ends(bytes((byte,)))
        else:
            self._meet()
            self._obey(byte, text)

    def _obey(self, command: int, text: bytearray) -> None:
        if command >= WILL:
            self._verb = command
            self._phase = _Phase.OPTION
        elif command == SB:
            self._subnegotiation_size = 0
            self._phase = _Phase.SUBNEGOTIATION
        elif command == AYT:
            # Counted with the negotiations, for it makes us send more than the peer did.
            self._count_negotiation()
            self._reply(b"\r\n[yes]\r\n")
        elif command in (EC, EL):
            text += self._line_ends(ERASE if command == EC else KILL)

    def _skip_subnegotiation(self, data: bytes, position: int) -> int:
        end = data.find(IAC, position)
        if end < 0:
            self._count_subnegotiation(len(data) - position)
            return len(data)
        self._count_subnegotiation(end - position)
        self._phase = _Phase.SUBNEGOTIATION_IAC
        return end + 1

    def _end_subnegotiation(self, byte: int) -> None:
        if byte == SE:
            self._phase = _Phase.TEXT
            return
        # IAC IAC is a data byte in here; any other pair is an error that only the true end can mend.
        self._phase = _Phase.SUBNEGOTIATION
        self._count_subnegotiation(2)

    # --- line ends ---------------------------------------------------------------------------------------------------

    def _line_ends(self, text: bytes) -> bytes:
        """Text with line ends a line receiver knows; the same object if they were so."""
        if not text:
            return text
        if self._pending_cr is not None:
            text = self._after_cr(text)
            self._pending_cr = None
        if CR not in text:
            return text
        if text[-1] == CR:
            self._pending_cr = _PendingCr.ENDED_LINE if self.seen else _PendingCr.PASSED
        return _LINE_END.sub(b"\r\n", text) if self.seen else text.replace(b"\r\0", b"\r\n")

    def _after_cr(self, text: bytes) -> bytes:
        """Complete or drop the second half of a line end whose CR came before this text."""
        if self._pending_cr is _PendingCr.ENDED_LINE:
            return text[1:] if text[0] in (LF, NUL) else text
        if text[0] == NUL:
            return b"\n" + text[1:]
        # A telnet client that was not known as one when its CR came meant a line end by it, too.
        return b"\n" + text if self.seen and text[0] != LF else text

    # --- options -----------------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Ask a telnet client, once, for eight-bit input."""
        if not self.seen:
            self.seen = True
            self._send(DO, BINARY)

    def _take_option(self, option: int) -> None:
        self._phase = _Phase.TEXT
        self._count_negotiation()
        if option == ECHO and self._verb in (DO, DONT):
            self._hear_about_echo()
        elif option == BINARY and self._verb in (WILL, WONT):
            self._hear_about_peer_binary()
        elif self._verb == DO:
            self._send(WONT, option)
        elif self._verb == WILL:
            self._send(DONT, option)
        # DONT and WONT say that an option is off, as all others always are: an answer could start a loop.

    def _hear_about_peer_binary(self) -> None:
        """RFC 1143: an answer to our request is not answered; a later change of the peer's mind is, once."""
        state = self._peer_binary
        self._peer_binary = _PeerBinary.ON if self._verb == WILL else _PeerBinary.OFF
        if state is _PeerBinary.ASKED or state is self._peer_binary:
            return
        self._send(DO if self._verb == WILL else DONT, BINARY)

    def _hear_about_echo(self) -> None:
        if self._echo_unanswered:
            self._hear_echo_answer()
        elif self._verb == DO and not self._echo:
            self._send(WONT, ECHO)
        elif self._verb == DONT and self._echo:
            self._set_echo(False)
            self._echo_unanswered = 0  # this WONT is itself an answer and will have none

    def _hear_echo_answer(self) -> None:
        """Absorb the answer to a WILL or WONT ECHO of ours; a DONT to the newest WILL is a refusal."""
        self._echo_unanswered -= 1
        if self._verb == DO:
            return
        if not self._echo:
            # The client's side is off, as ours is.  If it had refused a WILL that our WONT then crossed, it will not
            # answer that WONT; waiting on would swallow a later DO ECHO, which needs its WONT.
            self._echo_unanswered = 0
        elif not self._echo_unanswered:
            self._echo = False

    def _set_echo(self, on: bool) -> None:
        """Announce ECHO at once, answer or none to the one before: nc never answers, and a password cannot wait."""
        if on is not self._echo:
            self._echo = on
            self._echo_unanswered += 1
            self._send(WILL if on else WONT, ECHO)

    def _send(self, verb: int, option: int) -> None:
        self._reply(bytes((IAC, verb, option)))

    # --- bounds ------------------------------------------------------------------------------------------------------

    def _count_negotiation(self) -> None:
        self._negotiations += 1
        if self._negotiations > MAX_NEGOTIATIONS:
            self._give_up("too many telnet negotiations")

    def _count_subnegotiation(self, size: int) -> None:
        self._subnegotiation_size += size
        if self._subnegotiation_size > MAX_SUBNEGOTIATION:
            self._give_up("telnet subnegotiation too long")

    def _give_up(self, why: str) -> None:
        self._phase = _Phase.ABUSE
        self._abuse = why
        raise NegotiationAbuse(why)
