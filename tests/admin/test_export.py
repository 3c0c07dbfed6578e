"""``chatroom-admin export``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from admin.folders import ROOT, Fails, entry, keep, runs, said, write

from chatroom.admin.export import export
from chatroom.model.events import E2eFrom, Edited, SealedMessage


def exported(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    runs("export", *arguments)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def brief(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what each line is about: a record's name, or an entry's seq, room and text."""
    return [
        (line["record"]["name"],)
        if line["type"] != "entry"
        else (line["seq"], line["room"], line["event"].get("text", ""))
        for line in lines
    ]


@pytest.mark.usefixtures("held")
def test_accounts_rooms_and_entries_are_exported_in_order(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = exported(capsys, "--data", folder)
    assert lines[0] == {"type": "account", "record": {"id": "a1", "name": "Alice", "made": 7}}
    assert lines[2]["record"] == {"id": "r1", "name": "Lobby", "made": 5, "owner": "alice", "owner_id": "a1"}
    assert lines[3] == {
        "type": "entry",
        "log": "room/r1",
        "room": "Lobby",
        "seq": 1,
        "event": {"event": "said", "id": "m0", "at": 1000, "by": "alice", "by_id": "a1", "text": "hello"},
    }
    assert brief(lines) == [
        ("Alice",),
        ("den",),
        ("Lobby",),
        (1, "Lobby", "hello"),
        (2, "den", "hush"),
        (3, "Lobby", ""),
        (5, "Lobby", "bye"),
    ]


def test_private_messages_are_exported_only_when_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "just us" not in json.dumps(exported(capsys, "--data", folder))
    assert (4, "", "just us") in brief(exported(capsys, "--private", "--data", folder))


def test_one_room_is_exported_alone(fails: Fails, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = exported(capsys, "--room", "LOBBY", "--data", folder)
    assert brief(lines) == [("Lobby",), (1, "Lobby", "hello"), (3, "Lobby", ""), (5, "Lobby", "bye")]
    assert "no room" in fails("export", "--room", "attic", "--data", folder)
    assert "letters" in fails("export", "--room", "a b", "--data", folder)


def test_an_edited_message_is_exported_as_it_is_now(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, text in enumerate(("hello all", "hello everybody")):
        edit = Edited(f"e{number}", 2000, "alice", "a1", message=1, text=text)
        sent = entry("room/r1", edit)
        sent.key = f"a1/{edit.id}"
        write(folder, sent)
    for arguments in ((), ("--room", "Lobby")):
        lines = brief(exported(capsys, *arguments, "--data", folder))
        assert (1, "Lobby", "hello everybody") in lines
        assert [line[2] for line in lines if len(line) == 3 and line[0] > 5] == ["hello everybody"]
    runs("check", "--data", folder)
    assert "messages: 4" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("--room", "Lobby"), ("--private",)])
def test_a_sealed_message_is_exported_without_its_content(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    for id, ct in (("s1", "SECRETsecret"), ("s2", "")):
        write(folder, entry("room/r1", SealedMessage(id, 1000, "alice", "a1", device="D", sid="SECRETsid", ct=ct)))
    lines = exported(capsys, *arguments, "--data", folder)
    assert "SECRETsecret" not in json.dumps(lines)
    there, deleted = [line["event"] for line in lines if line.get("event", {}).get("event") == "sealed"]
    assert (there["id"], there["by"], there["text"]) == ("s1", "alice", "[encrypted message]")
    assert deleted["id"] == "s2"
    assert "text" not in deleted


def test_a_message_of_several_lines_is_one_line_of_the_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = 'one\n{"type":"account","record":{"name":"mallory"}}\n\nfour'
    write(folder, entry("room/r1", said(text, 9)))
    runs("export", "--data", folder)
    lines = capsys.readouterr().out.split("\n")[:-1]
    assert not [line for line in lines if "mallory" in line and '"said"' not in line]
    assert [json.loads(line)["event"]["text"] for line in lines if "mallory" in line] == [text]


def test_an_export_to_a_file_is_there_whole_or_not_at_all(fails: Fails, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fails("export", out / "lines", "--room", "attic", "--data", folder)
    assert not list(out.iterdir())
    runs("export", out / "lines", "--data", folder)
    assert (out / "lines").stat().st_mode & 0o777 == 0o600
    assert len((out / "lines").read_text("utf-8").splitlines()) == 7
    assert "--force" in fails("export", out / "lines", "--data", folder)


def test_an_export_is_of_one_moment(folder: Path) -> None:
    lines = export(folder)
    next(lines)
    write(folder, entry("room/r1", said("too late")))
    assert b"too late" not in b"".join(lines)
    assert b"too late" in b"".join(export(folder))


@pytest.mark.parametrize("room", [None, "lobby"])
def test_an_export_does_not_hold_everything_in_memory(folder: Path, room: str | None) -> None:
    write(folder, *(entry("room/r1", said("x" * 1000, i)) for i in range(10_000)))
    tracemalloc.start()
    try:
        size = sum(len(line) for line in export(folder, room=room))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 10_000_000
    assert peak < 1_000_000


def run(*arguments: object) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "chatroom.admin.command_line", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_reader_that_has_seen_enough_ends_an_export_quietly(folder: Path) -> None:
    write(folder, *(entry("room/r1", said("x" * 1000, i)) for i in range(1000)))
    with run("export", "--data", folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.parametrize("command", ["check", "export"])
def test_an_output_that_takes_nothing_more_is_one_sentence(folder: Path, command: str) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "chatroom.admin.command_line", command, "--data", str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "chatroom-admin: the output cannot be written: No space left on device"
    ]


def test_mailboxes_of_devices_are_exported_with_private_messages_as_they_are_and_keys_never(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = E2eFrom("m1", 1000, "alice", "a1", device="DEVICE", kind=1, body="c2VhbGVk")
    write(folder, entry("device/b1/DEVICE", sealed))
    keep(folder, "key-backups", "a1", "sealed user key")
    assert "device/b1/DEVICE" not in [line.get("log") for line in exported(capsys, "--data", folder)]
    lines = exported(capsys, "--private", "--data", folder)
    assert [line["event"]["body"] for line in lines if line.get("log") == "device/b1/DEVICE"] == ["c2VhbGVk"]
    assert "sealed user key" not in json.dumps(lines)
    runs("check", "--data", folder)
