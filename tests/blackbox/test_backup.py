"""A backup taken by ``chatroom-admin`` from a daemon that many are talking to, restored for another daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blackbox.daemon import Daemon, environment
from blackbox.load import PATIENCE, Crowd, history
from blackbox.test_crash import ROOMS, Witness, check_order, check_seqs, come_back, members

BEFORE = 3000  # deliveries before the backup, and again after it
COME_BACK = 100  # messages missed by somebody who comes back


def admin(*arguments: object) -> subprocess.Popen[bytes]:
    """Start ``chatroom-admin`` in a process of its own."""
    command = [sys.executable, "-m", "chatroom.admin.command_line", *map(str, arguments)]
    return subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended_well(process: subprocess.Popen[bytes]) -> bytes:
    """Return what it said; it must have ended, or soon do so, with status 0."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    return out


def heard(witnesses: list[Witness]) -> int:
    return sum(len(witness.words) for witness in witnesses)


@dataclass(frozen=True)
class Seen:
    """What a witness has seen up to now, and no more."""

    name: str
    room: str
    program: bool
    words: list[str]
    seqs: list[int]


def seen(witness: Witness) -> Seen:
    return Seen(witness.name, witness.room, witness.program, witness.words.copy(), witness.seqs.copy())


def test_a_backup_under_load_has_all_that_was_seen_before_it_began(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with Daemon(tmp_path, "--replay", "0") as daemon, Crowd(daemon.port) as crowd:
        witnesses = [witness for room in ROOMS for witness in members(crowd, room, 0)]
        for witness in witnesses:
            witness.come()
        crowd.until(lambda: heard(witnesses) > BEFORE, "messages before the backup")
        before = [seen(witness) for witness in witnesses]
        backup = admin("backup", copy, "--data", daemon.data)
        crowd.until(lambda: backup.poll() is not None, "the end of the backup")
        ended_well(backup)
        meanwhile = heard(witnesses)
        assert meanwhile > sum(len(each.words) for each in before), "nobody spoke while the backup was taken"
        crowd.until(lambda: heard(witnesses) > meanwhile + BEFORE, "messages after the backup")
        for witness in tuple(crowd.clients):
            witness.close()
        original = histories(daemon)
    restore_and_check(tmp_path / "other", copy, before, original)


def histories(daemon: Daemon) -> dict[int, tuple[str, str]]:
    """Return all messages of all rooms: the room and the text by seq."""
    with Crowd(daemon.port) as crowd:
        return {
            message["seq"]: (room, message["text"])
            for room in ROOMS
            for message in history(crowd.program(f"{room}-historian", room))
        }


def restore_and_check(folder: Path, copy: Path, before: list[Seen], original: dict[int, tuple[str, str]]) -> None:
    """A daemon on the restored backup has what was seen, and of the original all up to one moment; it works."""
    folder.mkdir()
    ended_well(admin("restore", copy, "--data", folder / "data"))
    assert b"messages: " in ended_well(admin("check", "--data", folder / "data"))
    with Daemon(folder, "--replay", "0") as daemon:
        restored = histories(daemon)
        last = max(restored)
        assert last < max(original), "what came after the backup is in it"
        assert restored == {seq: message for seq, message in original.items() if seq <= last}
        assert len(set(restored.values())) == len(restored), "something is stored twice"
        for room in ROOMS:
            check_room(daemon, {text: seq for seq, (where, text) in restored.items() if where == room}, room, before)
        assert speak_again(daemon) > last


def check_room(daemon: Daemon, seqs: dict[str, int], room: str, before: list[Seen]) -> None:
    """What was seen in the room is there, once, in order, with its seq; and is told to whoever comes back."""
    there: list[Any] = [each for each in before if each.room == room]
    check_order(list(seqs), there)
    check_seqs(seqs, there)
    *_, after = list(seqs.values())[:-COME_BACK]
    with Crowd(daemon.port) as crowd:
        missed = come_back(crowd.program(f"{room}-again"), room, after)
    assert [(message["text"], message["seq"]) for message in missed] == list(seqs.items())[-COME_BACK:]


def speak_again(daemon: Daemon) -> int:
    """Say something new in a room that was restored; return its seq."""
    with Crowd(daemon.port) as crowd:
        speaker = crowd.program("newcomer", ROOMS[0])
        speaker.record(do="say", text="we go on", id="new")
        return int(json.loads(speaker.hear("we go on")[-1])["seq"])
