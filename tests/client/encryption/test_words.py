"""What users are told about encryption, and the QR code without a screen."""

from __future__ import annotations

import pytest
import segno
from client.fake_encryption import DIGITS, LAPTOP, NEW

from chatroom.client.encryption.device_command import listed
from chatroom.client.encryption.interface import LinkPath, Privacy, Security
from chatroom.client.encryption.square_code import code_text, square_code
from chatroom.client.encryption.words import link_words, missing, state_words


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (LinkPath.DIRECT, "messages and files to bob go directly now."),
        (LinkPath.RELAYED, "messages and files to bob are relayed by the server, encrypted as before."),
    ],
)
def test_a_link_that_comes_or_goes_is_told(path: LinkPath, told: str) -> None:
    assert link_words("bob", path) == told


def test_one_message_is_not_several() -> None:
    assert missing(1, "bob") == "1 message of bob is missing before this one."
    assert missing(2, "bob") == "2 messages of bob are missing before this one."


def test_without_encryption_a_conversation_is_plain_and_nothing_came_encrypted() -> None:
    privacy = Privacy()
    assert (privacy.status("bob"), privacy.path("bob"), privacy.room_encrypted("x")) == ("plain", "", False)


def test_nothing_is_said_of_a_conversation_of_which_nothing_is_known() -> None:
    assert state_words(Security.UNKNOWN, LinkPath.NONE) == ""
    assert state_words(Security.VERIFIED, LinkPath.RELAYED) == "verified, relayed"


def test_a_list_of_no_devices_says_so() -> None:
    assert listed([]) == ["you have no devices with keys."]
    assert "waits" not in " ".join(listed([LAPTOP]))
    assert NEW.code not in " ".join(listed([LAPTOP, NEW]))


def test_the_code_says_the_digits_and_is_small() -> None:
    text = code_text(DIGITS)
    rows = square_code(text, 17)
    assert (len(rows), {len(row) for row in rows}) == (17, {33})
    assert square_code(text, 15) == []
    light = {"\u2588": (0, 0), "\u2580": (0, 1), "\u2584": (1, 0), " ": (1, 1)}
    modules = [[light[char][half] for char in row] for row in rows for half in (0, 1)][:33]
    wanted = segno.make(text, error="l", boost_error=False, micro=False).matrix_iter(border=2)
    assert modules == [[int(module) for module in row] for row in wanted]


def test_a_little_less_space_has_a_narrower_border() -> None:
    assert {len(row) for row in square_code(code_text(DIGITS), 16)} == {31}
