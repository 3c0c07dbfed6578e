"""Takes the telnet protocol out of a byte stream, so that only the text that the person typed is left.

The main idea: nobody is asked whether they use telnet.  The byte 0xFF (IAC) never occurs in UTF-8, so the first command
shows that the client speaks telnet; until then, and always for nc, bytes pass unchanged.  The server is a plain network
virtual terminal that asks for two things only: to hide what is typed at a password question (ECHO), and eight-bit input
(BINARY).  It refuses everything else, and ignores what the peer says about itself (NEW-ENVIRON, NAWS, TERMINAL-TYPE).

Sources: RFC 854 (commands, CR NUL, Are You There), 855 (options, subnegotiation), 856 (BINARY), 857 (ECHO),
860 (TIMING-MARK), 885 and 1184 (the commands 236 to 239), 1143 (negotiating without loops).

What clients do, as seen with Debian 12's telnet (inetutils 2.4) unless another one is named:

* At Ctrl-C the client sends IP and DO TIMING-MARK, and shows nothing until TIMING-MARK is answered; the server answers
  WONT to each.  At Ctrl-Z it does the same with SUSP (237), so the commands below 240 must be known as well.
* The client sends and shows UTF-8 unchanged.  According to its source, BSD's telnet strips the eighth bit of what is
  typed unless it has agreed to BINARY.
* After its WILL BINARY the client ends a line with a bare LF.  According to its source, PuTTY then sends a
  bare CR for the Enter key, and some clients always do; so each CR from a telnet client ends a line.  From nc only
  CR LF and CR NUL end a line: a bare CR from nc is more likely part of a text, such as a progress bar.
* PuTTY, once ECHO was announced, sends each key at once: Backspace as DEL or BS.  Both are left in the text for
  chatroom.wire.line_editing; EC (erase character) becomes DEL, and EL (erase line) becomes Ctrl-U.
* If we agreed to the client's DO BINARY, it would stop turning LF into CR LF on the user's own screen.  It shows UTF-8
  without BINARY, so BINARY is refused in this direction.
* SUPPRESS-GO-AHEAD (SGA) would end the client's line editing: after WILL SGA it sends each key at once.  The server
  neither offers SGA nor agrees to it.
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

MAX_NEGOTIATIONS: Final = 64  # in a whole connection
MAX_SUBNEGOTIATION: Final = 256  # bytes

# Characters of the network virtual terminal.
NUL: Final = 0
LF: Final = 10
CR: Final = 13

_LINE_END: Final = re.compile(rb"\r[\n\0]?")


class NegotiationAbuse(Exception):
    """The peer negotiates more than any telnet client would.  The text says what the peer did; it may be shown."""


class _Phase(Enum):
    """What the next byte belongs to."""

    TEXT = "text"
    COMMAND = "the byte after IAC"
    OPTION = "the byte after IAC DO, DONT, WILL or WONT"
    SUBNEGOTIATION = "after IAC SB"
    SUBNEGOTIATION_IAC = "the byte after an IAC inside a subnegotiation"
    ABUSE = "nothing is read any more"


class _PeerBinary(Enum):
    """Whether the peer sends BINARY, as in RFC 1143.  The first state is ASKED: we ask at the peer's first command."""

    ASKED = "WANTYES"
    ON = "YES"
    OFF = "NO"


class _PendingCr(Enum):
    """What was done with a CR that is the last byte so far; its line end may still be completed by an LF or NUL."""

    PASSED = "passed on alone: a NUL next, or proof that this is a telnet client, completes the line end"
    ENDED_LINE = "passed on as a line end: an LF or NUL next belongs to it"


class TelnetFilter:
    """The telnet side of one connection: takes the bytes that arrive, returns the text in them, and answers commands.

    The text and the answers are the same however the stream is cut into packets.  Nothing is buffered: the filter
    remembers only its position within a command.

    Attributes:
        seen: Whether a telnet command has come, so that the peer must be a telnet client.  IAC IAC is data and does not
            count, nor does a 0xFF before a byte that is no command.
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
            reply: Sends bytes to the peer, like a transport's write.  Called by the other methods.
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
        """Take the next bytes from the peer, answer the commands among them, and return the text.

        CR NUL becomes CR LF, and so does a bare CR of a telnet client.  IAC IAC becomes one 0xFF, EC becomes DEL, EL
        becomes Ctrl-U.  A 0xFF before a byte that is no command is dropped, and that byte is kept.  While input is
        hidden such a 0xFF is kept as well, because two different passwords must not become the same.

        Args:
            data: The bytes, cut anywhere.

        Returns:
            The text; the same object if it holds no command and no line end that needs mending.

        Raises:
            NegotiationAbuse: There were more than 64 negotiations (including ARE YOU THERE), or a subnegotiation of
                more than 256 bytes.  All text in ``data`` is lost, and every later call raises the exception again.
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
        """Ask the client not to show what is typed, by sending IAC WILL ECHO (though we echo nothing).

        Nothing is sent if input is hidden already.  The request is sent even while `seen` is false, because Debian's
        telnet sends no command until it receives one.
        """
        self._set_echo(True)

    def show_input(self) -> None:
        """Let the client show again what is typed, by sending IAC WONT ECHO, if input was hidden."""
        self._set_echo(False)

    def end_hidden_line(self) -> None:
        """Let the client show again what is typed, on a new line: the client has hidden the line end, too."""
        self.show_input()
        if self.seen:  # nc hides nothing, so it has shown the line end
            self._reply(b"\r\n")

    # --- where a command begins and ends -----------------------------------------------------------------------------

    def _step(self, data: bytes, position: int, text: bytearray) -> int:
        """Process the next byte, or the text up to the next IAC; return the position after what was processed."""
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
            # Counted as a negotiation, because the answer is longer than the question.
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
        # IAC IAC is a data byte in a subnegotiation; any other pair is an error, and we go on until IAC SE.
        self._phase = _Phase.SUBNEGOTIATION
        self._count_subnegotiation(2)

    # --- line ends ---------------------------------------------------------------------------------------------------

    def _line_ends(self, text: bytes) -> bytes:
        """Return the text with CR LF for each line end that holds a CR; the same object if nothing changes."""
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
        """Complete the line end whose CR was the last byte before this text; return the text to pass on."""
        if self._pending_cr is _PendingCr.ENDED_LINE:
            return text[1:] if text[0] in (LF, NUL) else text
        if text[0] == NUL:
            return b"\n" + text[1:]
        # The CR of a telnet client means a line end, even if we did not know yet that it is one when the CR came.
        return b"\n" + text if self.seen and text[0] != LF else text

    # --- options -----------------------------------------------------------------------------------------------------

    def _meet(self) -> None:
        """Note that the peer is a telnet client, and ask it for eight-bit input; do nothing if this was done."""
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
        # Other options are always off, as DONT and WONT ask; answering could start a loop.

    def _hear_about_peer_binary(self) -> None:
        """Note whether the peer sends BINARY.  By RFC 1143, we answer a change, but not its answer to our question."""
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
            self._echo_unanswered = 0  # the WONT just sent is itself an answer, and the peer will not answer it

    def _hear_echo_answer(self) -> None:
        """Take the peer's answer to our WILL or WONT ECHO; a DONT that answers our newest WILL is a refusal."""
        self._echo_unanswered -= 1
        if self._verb == DO:
            return
        if not self._echo:
            # Both sides are off.  If this DONT refused a WILL and crossed our WONT, the client will not answer that
            # WONT.  Waiting for its answer would swallow a later DO ECHO, which must be answered WONT.
            self._echo_unanswered = 0
        elif not self._echo_unanswered:
            self._echo = False

    def _set_echo(self, on: bool) -> None:
        """Send WILL or WONT ECHO at once, even if the last has no answer: nc never answers, a password can't wait."""
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
