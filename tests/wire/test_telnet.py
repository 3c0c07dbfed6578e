"""The telnet filter: what it takes out, what it answers, what it refuses to put up with, and that cuts don't matter."""

import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatroom.wire.telnet import NegotiationAbuse, TelnetFilter

IAC, DONT, DO, WONT, WILL, SB, SE = (bytes((code,)) for code in (255, 254, 253, 252, 251, 250, 240))
EOF, SUSP, ABORT, EOR, NOP, DM, BRK, IP, AO, AYT, EC, EL, GA = (
    bytes((code,)) for code in (236, 237, 238, 239, 241, 242, 243, 244, 245, 246, 247, 248, 249)
)
BINARY, ECHO, SGA, STATUS, TM, TTYPE, NAWS, LINEMODE, NEW_ENVIRON = (
    bytes((code,)) for code in (0, 1, 3, 5, 6, 24, 31, 34, 39)
)
YES = b"\r\n[yes]\r\n"
DO_BINARY = IAC + DO + BINARY
SILENT_COMMANDS = (EOF, SUSP, ABORT, EOR, SE, NOP, DM, BRK, IP, AO, GA)
REFUSED_OPTIONS = (SGA, STATUS, TM, TTYPE, NAWS, LINEMODE, NEW_ENVIRON, b"\xff", b"\xf0")

RICH = b"".join(
    (
        b"h\xc3\xa9\r\n",
        IAC + WILL + TTYPE + IAC + DO + SGA,
        b"one\r\0two\0\r\0\0",
        IAC + SB + TTYPE + b"\0x" + IAC + IAC + SE + b"y" + IAC + SE,
        b"a" + IAC + IAC + b"b" + IAC + b"c\r" + IAC + NOP + b"\0",
        IAC + IP + IAC + DO + TM + IAC + AYT,
        b"\r" + IAC + WILL + BINARY + b"\0pu\rtty\r\nnul\r\0lf\n\r\r",
        IAC + GA + b"\n" + IAC + DO + ECHO + IAC + DONT + ECHO,
        b"\r" + IAC + WONT + BINARY + b"\nend\r\0" + IAC + WILL + IAC + b"\r",
    )
)


@dataclass(frozen=True)
class Outcome:
    """What a stream came to; after abuse the text is left out, for the text of the last packet is lost."""

    text: bytes
    replies: bytes
    abuse: str


class Peer:
    """A filter with its replies collected."""

    def __init__(self) -> None:
        self.replies = b""
        self.filter = TelnetFilter(self._collect)

    def _collect(self, data: bytes) -> None:
        self.replies += data

    def feed(self, *packets: bytes) -> bytes:
        return b"".join(self.filter.feed(packet) for packet in packets)

    def new_replies(self) -> bytes:
        replies, self.replies = self.replies, b""
        return replies


def outcome(packets: Iterable[bytes], *, hidden: bool = False) -> Outcome:
    peer = Peer()
    if hidden:
        peer.filter.hide_input()
    try:
        text = peer.feed(*packets)
    except NegotiationAbuse as error:
        return Outcome(b"", peer.replies, str(error))
    return Outcome(text, peer.replies, "")


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def known() -> Peer:
    """A peer that has been met, with the request for BINARY out of the way."""
    peer = Peer()
    peer.feed(IAC + NOP)
    assert peer.new_replies() == DO_BINARY
    return peer


# --- text without telnet ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packet", [b"", b"hello\n", b"hello\r\n", "hé€😀".encode(), b"a\0b", b"a\rb", b"\0"])
def test_plain_text_passes_as_the_identical_object(peer: Peer, packet: bytes) -> None:
    assert peer.filter.feed(packet) is packet
    assert not peer.filter.seen
    assert peer.replies == b""


def test_plain_text_is_the_identical_object_after_binary_is_on(known: Peer) -> None:
    known.feed(IAC + WILL + BINARY)
    packet = b"as Debian's telnet sends it now\n"
    assert known.filter.feed(packet) is packet


def test_every_byte_but_iac_passes_alone(peer: Peer) -> None:
    for value in range(255):
        assert peer.feed(bytes((value,)), b"x") == bytes((value, ord("x")))
    assert not peer.filter.seen


def test_there_is_no_dict_per_connection(peer: Peer) -> None:
    assert not hasattr(peer.filter, "__dict__")


# --- line ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packets",
    [
        [b"hi\r\0"],
        [b"hi\r", b"\0"],
        [b"hi\r", b"", b"\0"],
        [b"hi\r", IAC, NOP + b"\0"],
        [b"hi\r" + IAC, b"\0"],
        [b"hi", b"\r", b"\0"],
    ],
)
def test_cr_nul_ends_a_line(packets: list[bytes]) -> None:
    assert outcome(packets).text == b"hi\r\n"


def test_only_the_nul_of_cr_nul_is_a_line_end(peer: Peer) -> None:
    assert peer.feed(b"a\0b\r\0\0", b"\0c\rd", b"\0", b"\r\n", b"\0") == b"a\0b\r\n\0\0c\rd\0\r\n\0"


def test_an_iac_iac_between_cr_and_nul_parts_them(peer: Peer) -> None:
    assert peer.feed(b"\r" + IAC, IAC + b"\0") == b"\r\xff\0"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (b"debian\n", b"debian\n"),
        (b"putty\r", b"putty\r\n"),
        (b"nvt\r\n", b"nvt\r\n"),
        (b"character mode\r\0", b"character mode\r\n"),
        (b"\r\r\r\0\n\0", b"\r\n\r\n\r\n\n\0"),
    ],
)
@pytest.mark.parametrize("switch", [b"", IAC + WILL + BINARY, IAC + WONT + BINARY])
def test_each_cr_of_a_telnet_client_ends_one_line(known: Peer, sent: bytes, read: bytes, switch: bytes) -> None:
    known.feed(switch)
    assert known.feed(sent) == read
    assert known.feed(*(sent[i : i + 1] for i in range(len(sent)))) == read


def test_a_cr_that_somebody_at_nc_sends_is_no_line_end(peer: Peer) -> None:
    assert peer.feed(b"50%\r", b"100%\r", b"\r\n") == b"50%\r100%\r\r\n"


@pytest.mark.parametrize(
    ("packets", "read"),
    [
        ([b"Enter\r", IAC + NOP, b"x"], b"Enter\r\nx"),
        ([b"Enter\r", IAC + NOP, b"\n"], b"Enter\r\n"),
        ([b"Enter\r", IAC + NOP, b"\0"], b"Enter\r\n"),
        ([b"Enter\r", IAC + NOP, b"\r"], b"Enter\r\n\r\n"),
        ([b"Enter\r", IAC + NOP + IAC + IAC], b"Enter\r\n\xff"),
        ([b"Enter\r", IAC + EC], b"Enter\r\n\x7f"),
        ([b"Enter\r", b"x", IAC + NOP, b"y"], b"Enter\rxy"),
    ],
)
def test_the_last_cr_before_the_first_command_is_a_line_end_after_all(packets: list[bytes], read: bytes) -> None:
    assert outcome(packets).text == read
    assert outcome([bytes((each,)) for each in b"".join(packets)]).text == read


def test_ec_and_el_become_what_keys_send(known: Peer) -> None:
    assert known.feed(b"secrex" + IAC, EC + b"t", IAC + EL) == b"secrex\x7ft\x15"
    assert known.replies == b""


def test_a_cr_before_the_switch_to_binary_waits_for_its_second_half(known: Peer) -> None:
    assert known.feed(b"a\r", IAC + WILL + BINARY, b"\0b\r", IAC + WONT + BINARY, b"\nc") == b"a\r\nb\r\nc"


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", SILENT_COMMANDS)
def test_a_command_is_stripped_and_nothing_else_happens(known: Peer, command: bytes) -> None:
    assert known.feed(b"kept " + IAC + command + b"as is") == b"kept as is"
    assert known.replies == b""


def test_are_you_there_is_answered(known: Peer) -> None:
    assert known.feed(b"a" + IAC + AYT + b"b") == b"ab"
    assert known.replies == YES


def test_iac_iac_is_one_data_byte(peer: Peer) -> None:
    assert peer.feed(b"a" + IAC + IAC + b"b" + IAC, IAC + b"c") == b"a\xffb\xffc"
    assert not peer.filter.seen
    assert peer.replies == b""


@pytest.mark.parametrize("value", range(236))
def test_a_lone_ff_is_dropped_and_the_byte_after_it_kept(peer: Peer, value: int) -> None:
    assert peer.feed(b"a" + IAC + bytes((value,)) + b"b", IAC, bytes((value,))) == bytes((97, value, 98, value))
    assert not peer.filter.seen
    assert peer.replies == b""


def test_a_lone_ff_in_a_password_is_kept(peer: Peer) -> None:
    peer.filter.hide_input()
    assert peer.feed(b"se" + IAC + b"cret" + IAC, b"\r\n") == b"se\xffcret\xff\r\n"
    peer.filter.show_input()
    assert peer.feed(b"he" + IAC + b"llo\r\n") == b"hello\r\n"


def test_a_lone_ff_at_the_end_hangs_nothing(peer: Peer) -> None:
    assert peer.feed(b"bye\n" + IAC) == b"bye\n"
    assert peer.feed(b"") == b""
    assert peer.feed(b"more\n") == b"more\n"


@pytest.mark.parametrize("command", [*SILENT_COMMANDS, AYT, WILL + TTYPE, DONT + ECHO, SB])
def test_the_first_command_gives_the_client_away_and_asks_for_binary_once(peer: Peer, command: bytes) -> None:
    peer.feed(b"x" + IAC)
    assert not peer.filter.seen
    peer.feed(command)
    assert peer.filter.seen
    assert peer.new_replies().startswith(DO_BINARY)
    peer.feed(IAC + SE + IAC + NOP + IAC + AYT)
    assert DO_BINARY not in peer.replies


# --- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", [*REFUSED_OPTIONS, BINARY, ECHO])
def test_do_is_refused(known: Peer, option: bytes) -> None:
    assert known.feed(b"a" + IAC + DO + option + b"b") == b"ab"
    assert known.replies == IAC + WONT + option


@pytest.mark.parametrize("option", [*REFUSED_OPTIONS, ECHO])
def test_will_is_refused(known: Peer, option: bytes) -> None:
    assert known.feed(b"a" + IAC + WILL + option + b"b") == b"ab"
    assert known.replies == IAC + DONT + option


@pytest.mark.parametrize("option", [*REFUSED_OPTIONS, BINARY, ECHO])
@pytest.mark.parametrize("verb", [DONT, WONT])
def test_what_is_off_already_is_not_answered(known: Peer, verb: bytes, option: bytes) -> None:
    assert known.feed(b"a" + IAC + verb + option + b"b") == b"ab"
    assert known.replies == b""


def test_each_ctrl_c_gets_its_timing_mark_refused(known: Peer) -> None:
    for _ in range(5):
        known.feed(IAC + IP, IAC + DO + TM)
        assert known.new_replies() == IAC + WONT + TM


def test_a_new_environment_is_refused_and_never_read(known: Peer) -> None:
    assert known.feed(IAC + WILL + NEW_ENVIRON) == b""
    assert known.new_replies() == IAC + DONT + NEW_ENVIRON
    assert known.feed(b"a" + IAC + SB + NEW_ENVIRON + b"\0\0USER\1root" + IAC + SE + b"b") == b"ab"
    assert known.replies == b""


@pytest.mark.parametrize("answer", [WILL, WONT])
def test_the_answer_to_our_do_binary_is_not_answered(known: Peer, answer: bytes) -> None:
    known.feed((IAC + answer + BINARY) * 3)
    assert known.replies == b""


def test_a_change_of_mind_about_binary_is_answered_once(known: Peer) -> None:
    known.feed(IAC + WILL + BINARY, (IAC + WONT + BINARY) * 3)
    assert known.new_replies() == IAC + DONT + BINARY
    known.feed((IAC + WILL + BINARY) * 3)
    assert known.new_replies() == DO_BINARY


def test_binary_offered_as_the_first_thing_is_asked_for_once(peer: Peer) -> None:
    peer.feed(IAC + WILL + BINARY)
    assert peer.replies == DO_BINARY


def test_suppress_go_ahead_is_never_offered_nor_agreed_to(peer: Peer) -> None:
    peer.filter.hide_input()
    for verb in (DO, WILL, DONT, WONT, WILL, DO):
        peer.feed(IAC + verb + SGA)
    peer.filter.show_input()
    assert IAC + WILL + SGA not in peer.replies
    assert IAC + DO + SGA not in peer.replies


# --- hidden input ----------------------------------------------------------------------------------------------------


def test_hide_and_show_speak_first_and_only_on_a_change(peer: Peer) -> None:
    peer.filter.show_input()
    assert peer.new_replies() == b""
    for call, said in ((peer.filter.hide_input, WILL), (peer.filter.show_input, WONT)) * 2:
        call()
        call()
        assert peer.new_replies() == IAC + said + ECHO
    assert not peer.filter.seen


def test_the_answers_to_hide_and_show_are_absorbed(known: Peer) -> None:
    for call, answer in ((known.filter.hide_input, DO), (known.filter.show_input, DONT)) * 3:
        call()
        known.new_replies()
        assert known.feed(b"a" + IAC + answer + ECHO + b"b") == b"ab"
        assert known.replies == b""


def test_answers_that_come_late_are_absorbed(known: Peer) -> None:
    known.filter.hide_input()
    known.filter.show_input()
    known.filter.hide_input()
    known.new_replies()
    known.feed(IAC + DO + ECHO, IAC + DONT + ECHO)
    known.filter.hide_input()  # must still hold for hidden: that DONT was the answer to show_input
    known.feed(IAC + DO + ECHO)
    assert known.replies == b""
    known.filter.show_input()
    assert known.replies == IAC + WONT + ECHO


def test_do_echo_again_is_not_answered_while_hidden(known: Peer) -> None:
    known.filter.hide_input()
    known.new_replies()
    known.feed((IAC + DO + ECHO) * 3)
    assert known.replies == b""


def test_a_refused_hide_is_not_taken_back(known: Peer) -> None:
    known.filter.hide_input()
    known.new_replies()
    known.feed(IAC + DONT + ECHO)
    known.filter.show_input()
    assert known.replies == b""
    known.filter.hide_input()
    assert known.replies == IAC + WILL + ECHO


def test_a_client_that_stops_agreeing_to_hide_is_told_so_once(known: Peer) -> None:
    known.filter.hide_input()
    known.feed(IAC + DO + ECHO)
    known.new_replies()
    known.feed(IAC + DONT + ECHO)
    known.filter.show_input()
    assert known.new_replies() == IAC + WONT + ECHO
    known.feed(IAC + DO + ECHO)  # a question, for that WONT was an answer and has none
    assert known.new_replies() == IAC + WONT + ECHO
    known.feed((IAC + DONT + ECHO) * 3)
    assert known.new_replies() == b""
    known.filter.hide_input()
    known.feed((IAC + DO + ECHO) + (IAC + DONT + ECHO) * 3)
    assert known.new_replies() == IAC + WILL + ECHO + IAC + WONT + ECHO
    known.feed(IAC + DO + ECHO)
    assert known.replies == IAC + WONT + ECHO


def test_a_refusal_crossed_by_our_taking_back_leaves_no_answer_awaited(known: Peer) -> None:
    known.filter.hide_input()
    known.filter.show_input()
    known.feed(IAC + DONT + ECHO)  # the one answer: the WONT told this client nothing new
    known.new_replies()
    known.feed(IAC + DO + ECHO)
    assert known.replies == IAC + WONT + ECHO


# --- no ping-pong ----------------------------------------------------------------------------------------------------

OPPOSITE = {WILL: DONT, DONT: WILL, WONT: DO, DO: WONT}
AGREE = {WILL: DO, DO: WILL, WONT: DONT, DONT: WONT}
INSIST = {WILL: DO, DO: WILL, WONT: DO, DONT: WILL}


def mirror(verbs: dict[bytes, bytes], said: bytes) -> bytes:
    """What a peer answers that turns each verb into another, whatever the state."""
    return b"".join(IAC + verbs[said[i + 1 : i + 2]] + said[i + 2 : i + 3] for i in range(0, len(said), 3))


def rounds_until_silence(peer: Peer, answer: Callable[[bytes], bytes]) -> int:
    for rounds in range(200):
        said = peer.new_replies()
        if not said:
            return rounds
        peer.feed(answer(said))
    pytest.fail("they talk for ever")


OPENING = b"".join(IAC + verb + option for verb in (DO, WILL) for option in (BINARY, ECHO, SGA, NAWS, NEW_ENVIRON))


@pytest.mark.parametrize("answer", [lambda said: said, lambda said: mirror(AGREE, said)], ids=["echo", "agree"])
def test_a_peer_that_answers_everything_does_not_loop(peer: Peer, answer: Callable[[bytes], bytes]) -> None:
    peer.filter.hide_input()
    peer.feed(OPENING)
    assert rounds_until_silence(peer, answer) <= 3


def test_two_filters_fall_silent(peer: Peer) -> None:
    other = Peer()

    def answer(said: bytes) -> bytes:
        other.feed(said)
        return other.new_replies()

    peer.filter.hide_input()
    assert rounds_until_silence(peer, answer) <= 3
    peer.filter.show_input()
    assert rounds_until_silence(peer, answer) <= 3


@pytest.mark.parametrize("verbs", [OPPOSITE, INSIST], ids=["opposite", "insist"])
def test_a_peer_that_never_gives_in_is_given_up(peer: Peer, verbs: dict[bytes, bytes]) -> None:
    peer.feed(IAC + DO + NAWS)
    with pytest.raises(NegotiationAbuse, match=r"^too many telnet negotiations$"):
        rounds_until_silence(peer, lambda said: mirror(verbs, said))


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "negotiation",
    [
        *(verb + option for verb in (DO, DONT, WILL, WONT) for option in (TM, BINARY, ECHO, NAWS)),
        AYT,
    ],
)
def test_sixty_four_negotiations_are_enough(negotiation: bytes) -> None:
    assert outcome([b"hi" + (IAC + negotiation) * 64 + b"ho"]).text == b"hiho"
    flood = outcome([(IAC + negotiation) * 10_000])
    assert flood.abuse == "too many telnet negotiations"
    assert flood.replies == outcome([(IAC + negotiation) * 64]).replies


def test_negotiations_and_are_you_there_count_together(known: Peer) -> None:
    known.feed((IAC + AYT + IAC + DO + TM) * 32)
    with pytest.raises(NegotiationAbuse):
        known.feed(IAC + AYT)


def test_what_makes_no_answer_is_not_counted(known: Peer) -> None:
    known.feed((IAC + NOP + IAC + IAC + IAC + SB + NAWS + IAC + SE) * 1000)
    assert known.replies == b""


CONTENTS = [b"x" * 256, (b"xyz" + IAC + IAC) * 51 + b"x", IAC + IAC + b"y" * 254, (IAC + IAC) * 128, (IAC + NOP) * 128]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_subnegotiation_of_256_bytes_is_swallowed_whole(known: Peer, content: bytes) -> None:
    assert len(content) == 256
    assert known.feed(b"a" + IAC + SB + content + IAC + SE + b"b", IAC + SB + content, IAC + SE + b"c") == b"abc"
    assert known.replies == b""


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("step", [1, 2, 100, 1000])
def test_a_longer_subnegotiation_is_abuse(known: Peer, content: bytes, step: int) -> None:
    stream = IAC + SB + content + b"z"
    with pytest.raises(NegotiationAbuse, match=r"^telnet subnegotiation too long$"):
        known.feed(*(stream[i : i + step] for i in range(0, len(stream), step)))


def test_iac_iac_se_does_not_end_a_subnegotiation(known: Peer) -> None:
    assert known.feed(IAC + SB + NAWS + IAC + IAC + SE + b"inside" + IAC + SE + b"outside") == b"outside"


@pytest.mark.parametrize("step", [1, 65536])
def test_an_endless_subnegotiation_takes_no_memory(known: Peer, step: int) -> None:
    known.feed(IAC + SB)
    endless = b"x" * step
    tracemalloc.start()
    try:
        with pytest.raises(NegotiationAbuse):
            known.feed(*[endless] * 300)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 8192  # mostly the exception; one packet kept would be 64 KiB
    held = [getattr(known.filter, slot) for slot in TelnetFilter.__slots__]
    assert all(len(value) < 64 for value in held if isinstance(value, bytes | bytearray | str | list))


def test_many_short_subnegotiations_are_no_long_one(known: Peer) -> None:
    assert known.feed((IAC + SB + b"x" * 200 + IAC + SE + b"a") * 5) == b"aaaaa"


@pytest.mark.parametrize("abuse", [IAC + SB + b"x" * 300, (IAC + DO + TM) * 65])
@pytest.mark.parametrize("later", [b"", b"text\n", b"\0", IAC + SE, IAC + AYT])
def test_after_abuse_the_same_is_raised_for_ever(peer: Peer, abuse: bytes, later: bytes) -> None:
    with pytest.raises(NegotiationAbuse) as first:
        peer.feed(abuse)
    peer.new_replies()
    for _ in range(3):
        with pytest.raises(NegotiationAbuse) as again:
            peer.feed(later)
        assert str(again.value) == str(first.value)
    assert peer.replies == b""


# --- cuts ------------------------------------------------------------------------------------------------------------


def test_the_rich_sample_comes_out_right() -> None:
    whole = outcome([RICH])
    assert whole.text == (
        b"h\xc3\xa9\r\none\r\ntwo\0\r\n\0a\xffbc\r\n\r\npu\r\ntty\r\nnul\r\nlf\n\r\n\r\n\r\nend\r\n\r\n"
    )
    assert whole.replies == b"".join(
        (
            DO_BINARY + IAC + DONT + TTYPE + IAC + WONT + SGA + IAC + WONT + TM + YES,
            IAC + WONT + ECHO + IAC + DONT + BINARY + IAC + DONT + IAC,
        )
    )


@pytest.mark.parametrize("cut", range(len(RICH) + 1))
def test_one_cut_anywhere_changes_nothing(cut: int) -> None:
    assert outcome([RICH[:cut], RICH[cut:]]) == outcome([RICH])


@pytest.mark.parametrize("step", range(1, 12))
def test_equal_cuts_change_nothing(step: int) -> None:
    packets = [RICH[i : i + step] for i in range(0, len(RICH), step)]
    assert outcome(packets) == outcome([RICH])


CONTEXTS = {
    "text": b"text",
    "cr": b"text\r",
    "iac": IAC,
    "do": IAC + DO,
    "will": IAC + WILL,
    "dont": IAC + DONT,
    "wont": IAC + WONT,
    "subnegotiation": IAC + SB,
    "subnegotiation content": IAC + SB + NAWS + b"x",
    "subnegotiation iac": IAC + SB + NAWS + IAC,
    "binary": IAC + WILL + BINARY,
    "binary cr": IAC + WILL + BINARY + b"\r",
    "cr, then binary": b"\r" + IAC + WILL + BINARY,
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
def test_every_byte_at_every_cut(context: bytes) -> None:
    for value in range(256):
        byte = bytes((value,))
        for rest in (b"\n\0 end", IAC + SE + b" end", IAC + IAC + IAC + SE + b"\0end"):
            whole = outcome([context + byte + rest])
            assert outcome([context, byte + rest]) == whole
            assert outcome([context + byte, rest]) == whole
            assert outcome([context, byte, b"", rest]) == whole
            assert outcome([bytes((each,)) for each in context + byte + rest]) == whole


TELNETTISH = st.lists(
    st.one_of(
        st.sampled_from([IAC, IAC + SB, IAC + SE, b"\r", b"\0", b"\n", DO, WILL, DONT, WONT, BINARY, ECHO, AYT]),
        st.builds(
            lambda verb, option: IAC + verb + option,
            st.sampled_from([DO, DONT, WILL, WONT]),
            st.sampled_from([BINARY, ECHO, TM, SGA]),
        ),
        st.sampled_from([(IAC + DO + TM) * 40, b"x" * 200]),
        st.binary(max_size=6),
    ),
    max_size=30,
).map(b"".join)


@given(st.one_of(st.binary(max_size=300), TELNETTISH), st.data(), st.booleans())
def test_any_bytes_cut_anyhow_come_to_the_same(stream: bytes, data: st.DataObject, hidden: bool) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20), label="cuts"))
    packets = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert outcome(packets, hidden=hidden) == outcome([stream], hidden=hidden)


# Pieces of a stream, each with the text in it; no CR, so that each piece means the same wherever it stands.
PIECES = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1).map(
        lambda text: (text.encode(), text.encode())
    ),
    st.just((IAC + IAC, IAC)),
    st.sampled_from(SILENT_COMMANDS).map(lambda command: (IAC + command, b"")),
    st.tuples(st.sampled_from([DO, DONT, WILL, WONT]), st.binary(min_size=1, max_size=1)).map(
        lambda pair: (IAC + pair[0] + pair[1], b"")
    ),
    st.binary(max_size=60).map(lambda content: (IAC + SB + content.replace(IAC, IAC + IAC) + IAC + SE, b"")),
)


@given(st.lists(PIECES, max_size=30), st.integers(1, 9))
@example([(IAC + DO + IAC, b""), (IAC + SB + IAC + IAC + SE + IAC + SE, b""), (IAC + IAC, IAC), (b"\0\n", b"\0\n")], 1)
def test_no_byte_of_a_command_leaks_and_no_byte_of_text_is_lost(pieces: list[tuple[bytes, bytes]], step: int) -> None:
    stream = b"".join(sent for sent, _ in pieces)
    packets = [stream[i : i + step] for i in range(0, len(stream), step)]
    assert outcome(packets).text == b"".join(read for _, read in pieces)


@given(TELNETTISH)
def test_replies_are_bounded_and_well_formed(stream: bytes) -> None:
    replies = outcome([stream]).replies.replace(YES, b"")
    assert len(replies) % 3 == 0
    assert len(replies) <= 3 * 65
    for i in range(0, len(replies), 3):
        said = replies[i : i + 3]
        assert said[:2] in (IAC + WONT, IAC + DONT) or said == DO_BINARY
