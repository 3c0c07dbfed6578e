"""The audit log as a file: a line an act, its owner's alone, bounded, and never in the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.chat.operators.audit import MembersAudit, audit
from chatroom.daemon import audit_file
from chatroom.daemon.audit_file import KEPT, MEMBERS_NAME, NAME, AuditFile, audit_files
from chatroom.model.logger import logger, set_level, watch

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (.*)\n")


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AuditFile]:
    """An audit file that writes into the test's folder, and stops with the test."""
    made = AuditFile(tmp_path)
    made.start()
    yield made
    made.stop()
    set_level("info")


def acts(path: Path) -> list[str]:
    """Return what the lines of the file say, each of which must begin with the time."""
    matches = [LINE.fullmatch(line) for line in path.read_text().splitlines(keepends=True)]
    assert all(matches), path.read_text()
    return [match[1] for match in matches if match]


def test_an_act_is_a_line_with_its_time(file: AuditFile, tmp_path: Path) -> None:
    audit("alice", "kicked bob: spam", "lobby")
    audit("root", "made an announcement")
    assert acts(tmp_path / NAME) == ["alice kicked bob: spam in lobby", "root made an announcement"]


def test_it_holds_acts_and_nothing_else(file: AuditFile, tmp_path: Path) -> None:
    logger("chatroom.chat.operators.audit").info("bob joined room lobby")
    logger("chatroom").info("stopping")
    assert acts(tmp_path / NAME) == []


def test_it_holds_all_acts_whatever_the_log_level(file: AuditFile, tmp_path: Path) -> None:
    set_level("critical")
    audit("alice", "kicked bob", "lobby")
    assert acts(tmp_path / NAME) == ["alice kicked bob in lobby"]


@pytest.mark.parametrize("words", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\x1b[2Jb", "{by} {0}"])
def test_nothing_makes_a_second_line(file: AuditFile, tmp_path: Path, words: str) -> None:
    audit("alice", f"kicked bob: {words}", words)
    assert len(acts(tmp_path / NAME)) == 1
    assert (tmp_path / NAME).read_text()[:-1].isprintable()


def test_it_is_its_owners_alone(file: AuditFile, tmp_path: Path) -> None:
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_it_is_its_owners_alone_also_when_it_was_not(tmp_path: Path) -> None:
    (tmp_path / NAME).touch(0o644)
    made = AuditFile(tmp_path)
    made.start()
    made.stop()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_it_is_appended_to(tmp_path: Path) -> None:
    for who in ("alice", "bob"):
        made = AuditFile(tmp_path)
        made.start()
        audit(who, "locked", "lobby")
        made.stop()
    audit("carol", "locked", "lobby")
    assert acts(tmp_path / NAME) == ["alice locked in lobby", "bob locked in lobby"]


def test_what_was_stopped_or_never_started_stops(file: AuditFile, tmp_path: Path) -> None:
    file.stop()
    file.stop()
    AuditFile(tmp_path).stop()
    audit("alice", "locked", "lobby")
    assert acts(tmp_path / NAME) == []


def test_it_is_rotated_and_only_so_many_are_kept(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit_file, "LARGEST", 100)
    made = AuditFile(tmp_path)
    made.start()
    for i in range(3 * (KEPT + 3)):  # more than two lines are more than 100 bytes
        audit("alice", f"kicked bob, for the {i}th time", "lobby")
    made.stop()
    names = [NAME, *(f"{NAME}.{i}" for i in range(1, KEPT + 1))]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    kept = [act for name in reversed(names) for act in acts(tmp_path / name)]
    numbers = [int(re.findall(r"\d+", act)[0]) for act in kept]
    last = 3 * (KEPT + 3)
    assert numbers == list(range(last - len(numbers), last)), "there is a gap"
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in names} == {0o600}


def test_one_that_cannot_be_written_keeps_nobody_from_acting(file: AuditFile, tmp_path: Path) -> None:
    """It is said once, and the next line that can be written is a line of its own."""
    said: list[str] = []
    unwatch = watch("chatroom.daemon.audit_file", lambda event: said.append(event["why"]))
    written = file._file.write

    def full(data: bytes) -> None:
        written(data[:5])
        raise OSError(28, "No space left on device")

    file._file.write = full
    audit("alice", "kicked bob", "lobby")
    audit("alice", "kicked carol", "lobby")
    file._file.write = written
    audit("alice", "kicked dave", "lobby")
    last = (tmp_path / NAME).read_text().splitlines(keepends=True)[-1]
    assert (match := LINE.fullmatch(last)) is not None, last
    assert match[1] == "alice kicked dave in lobby"
    assert said == ["[Errno 28] No space left on device"]
    unwatch()


def test_one_that_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(OSError, match=r"the audit log \S+audit\.log cannot be written: Is a directory; move it away"):
        AuditFile(tmp_path).start()


def test_members_acts_have_a_file_of_their_own_and_push_out_no_act_of_an_operator(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(audit_file, "LARGEST", 300)
    files = audit_files(tmp_path)
    for file in files:
        file.start()
    audit("root", "made an announcement")
    members = MembersAudit(lambda: 0.0)
    for i in range(KEPT * 20):
        members.write(f"mallory{i}", "topic: " + "x" * 100, "den", address=f"192.0.2.{i}")
    for file in files:
        file.stop()
    assert acts(tmp_path / NAME) == ["root made an announcement"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {NAME, MEMBERS_NAME, *(f"{MEMBERS_NAME}.{i}" for i in range(1, KEPT + 1))}


def test_it_goes_on_at_its_path_when_it_was_moved_away(file: AuditFile, tmp_path: Path) -> None:
    audit("alice", "locked", "lobby")
    (tmp_path / NAME).rename(tmp_path / "old")
    audit("bob", "locked", "lobby")
    assert (acts(tmp_path / "old"), acts(tmp_path / NAME)) == (["alice locked in lobby"], ["bob locked in lobby"])
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
