"""Where the passphrase comes from, and where it never comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatroom.client import passphrase as module
from chatroom.client.passphrase import (
    AGAIN_PROMPT,
    DIFFERENT,
    MOST_BYTES,
    NEW_PROMPT,
    PROMPT,
    TRIES,
    WRONG,
    NoPassphrase,
    WrongWord,
    read_passphrase,
)


def never(prompt: str) -> str:
    """Fail: nobody is to be asked."""
    raise AssertionError(prompt)


def private(folder: Path, content: bytes) -> Path:
    """Write a file that nobody else may read."""
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_it_is_the_first_line_of_a_file(tmp_path: Path) -> None:
    path = private(tmp_path, "corrèct horse \r\nsecond\n".encode())
    assert read_passphrase(f"file:{path}", never) == "corrèct horse "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = private(tmp_path, b"correct horse\n")
    path.chmod(mode)
    with pytest.raises(NoPassphrase, match="others may read") as caught:
        read_passphrase(f"file:{path}", never)
    assert "horse" not in str(caught.value)


def test_what_follows_the_first_line_of_a_descriptor_is_left_there() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"correct horse\n/join lobby\nhello\n")
    os.close(writer)
    assert read_passphrase(f"fd:{reader}", never) == "correct horse"
    assert os.read(reader, 100) == b"/join lobby\nhello\n"
    os.close(reader)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\nx\n", "is empty"),
        (b"", "is empty"),
        (b"\xff\n", "is not UTF-8"),
        (b"x" * (MOST_BYTES + 1), "more than 1024"),
    ],
)
def test_a_line_that_can_be_none_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(NoPassphrase, match=why):
        read_passphrase(f"file:{private(tmp_path, content)}", never)


@pytest.mark.parametrize(
    "where", ["correct horse", "pass:horse", "env:HORSE", "fd:horse", "fd:", "file:", "fd:-1", "Ask"]
)
def test_the_passphrase_itself_is_no_argument(where: str) -> None:
    with pytest.raises(NoPassphrase, match="give ask, fd:N or file:PATH") as caught:
        read_passphrase(where, never)
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize("where", ["file:/no/such/file", "file:/", "file:\0", "fd:999999"])
def test_a_place_that_cannot_be_read_is_named_in_words(where: str) -> None:
    with pytest.raises(NoPassphrase, match="cannot be read: "):
        read_passphrase(where, never)


def test_without_a_terminal_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(*args: object) -> int:
        raise OSError(6, "No such device")

    monkeypatch.setattr(module.os, "open", no_terminal)
    with pytest.raises(NoPassphrase, match="there is no terminal"):
        read_passphrase("ask", never)


class Asked:
    """Answers on a terminal, one after the other; knows what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        monkeypatch.setattr(module.os, "open", lambda *args: os.dup(0))
        self.answers = list(answers)
        self.prompts: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.answers.pop(0)


def is_right(passphrase: str) -> bool:
    return passphrase == "correct horse"


def test_it_is_asked_for_again_on_the_terminal_until_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, "wrong", "incorrect horse", "correct horse")
    assert read_passphrase("ask", asked, fits=is_right) == "correct horse"
    assert asked.prompts == [PROMPT, WRONG + PROMPT, WRONG + PROMPT]


def test_after_some_wrong_ones_the_client_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, *["wrong"] * (TRIES + 1))
    with pytest.raises(WrongWord, match="is wrong; nothing was sent"):
        read_passphrase("ask", asked, fits=is_right)
    assert len(asked.answers) == 1


def test_nothing_typed_is_no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoPassphrase, match="no passphrase was typed"):
        read_passphrase("ask", Asked(monkeypatch, "wrong", ""), fits=is_right)


def test_a_wrong_one_in_a_file_ends_the_client_before_it_connects(tmp_path: Path) -> None:
    with pytest.raises(WrongWord, match="is wrong; nothing was sent") as caught:
        read_passphrase(f"file:{private(tmp_path, b'wrong horse')}", never, fits=is_right)
    assert "horse" not in str(caught.value)


def test_a_new_one_is_typed_twice_and_asked_for_again_if_the_two_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(monkeypatch, "horse", "house", "horse", "horse")
    assert read_passphrase("ask", asked, new=True) == "horse"
    assert asked.prompts == [NEW_PROMPT, AGAIN_PROMPT, DIFFERENT + NEW_PROMPT, AGAIN_PROMPT]
    with pytest.raises(NoPassphrase, match="differ; nothing was changed"):
        read_passphrase("ask", Asked(monkeypatch, *["a", "b"] * TRIES), new=True)
