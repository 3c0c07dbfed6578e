"""The guide "To add something" in docs/architecture.md is true: by its steps a command and an event are added.

They are added to a copy of the code, in the files that the guide names and in no others; ``adding.py`` then uses them
as people and as programs do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "architecture.md").read_text().partition("\n## To add something\n")[2].partition("\n## ")[0]
MOST_FILES = 3

RECORD = '''

class Wave(RoomCommand, frozen=True, gc=False):
    """Wave to somebody in the room."""

    user: Word


row(
    Wave,
    "wave to somebody in the room",
    "wave",
    Arg("user", ask="To whom?"),
    in_room=True,
    topic="talk",
    examples=[{"user": "alice"}],
)
'''
HANDLER = '''

from chatroom.model.commands import Wave
from chatroom.model.events import Waved
from chatroom.model.replies import Ok


@handles(Wave)
async def wave(chat: Chat, session: Session, command: Wave, room: Room) -> Ok:
    """Wave to somebody."""
    event = Waved(session.next_id(), session.host.now(), session.name, session.user_id, to=command.user)
    await session.happen(room.log, event)
    return Ok()
'''
EVENT = '''class Waved(RoomEvent, frozen=True, gc=False, kw_only=True):
    """A member waves to somebody."""

    is_message = False
    changes_members = False
    changes_record = False

    to: str


'''
WORDS = """    e.Waved: lambda room, event: f"{event.by} waves to {event.to}.",
"""
EXAMPLE = """            (e.Waved(**_WHO, to="alice"), None),
"""

# A file; the line before which the text is put, or nothing for the end of the file; the text.
Step = tuple[str, str, str]
COMMAND: tuple[Step, ...] = (
    ("chatroom/model/commands/talk.py", "", RECORD),
    ("chatroom/chat/messaging.py", "", HANDLER),
)
OF_A_ROOM: tuple[Step, ...] = (
    ("chatroom/model/events.py", "# ---- events of an inbox", EVENT),
    ("chatroom/model/wording.py", "    e.Deleted: ", WORDS),
    ("docs/make_protocol.py", "            (e.Deleted(", EXAMPLE),
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the code, to which things can be added."""
    shutil.copytree(ROOT / "chatroom", tmp_path / "chatroom", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def add(root: Path, *steps: Step) -> None:
    """Put texts into files."""
    for name, before, text in steps:
        path = root / name
        source = path.read_text()
        if before:
            assert source.count(f"\n{before}") == 1, f"{name} has one line that begins with {before!r}"
            source = source.replace(f"\n{before}", f"\n{text}{before}")
        else:
            source += text
        path.write_text(source)


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python on the copy of the code."""
    paths = os.pathsep.join([str(root), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=root, capture_output=True, text=True, check=False
    )


def named(item: str) -> set[str]:
    """Return the files and folders that an item of the guide tells to change."""
    (text,) = re.findall(rf"^- \*{item}\*: (.*?)(?=^- |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`((?:chat|model|docs|tests)/[\w/.]*)`", text))


def test_a_command_and_an_event_are_added_by_the_steps_of_the_guide(copy: Path) -> None:
    add(copy, *COMMAND, *OF_A_ROOM)
    done = run(copy, str(ROOT / "tests" / "adding.py"), str(copy))
    assert done.stdout == "added\n", done.stderr


@pytest.mark.parametrize(("item", "steps"), [("A command", COMMAND), ("An event of a room", OF_A_ROOM)])
def test_the_steps_are_those_of_the_guide(item: str, steps: tuple[Step, ...]) -> None:
    files = {name.removeprefix("chatroom/") for name, _, _ in steps}
    places = named(item) - {"tests/"}
    assert {place for place in places if any(file.startswith(place) for file in files)} == places
    assert {file for file in files if any(file.startswith(place) for place in places)} == files
    tests = int(item == "A command")  # those of events are made for each class
    assert len(files) + tests <= MOST_FILES


def test_all_files_and_folders_of_the_guide_exist() -> None:
    names = re.findall(r"`([a-z]+/[\w/.]*)`", GUIDE)
    assert names
    assert [name for name in names if not (ROOT / name).exists() and not (ROOT / "chatroom" / name).exists()] == []


@pytest.mark.parametrize(
    ("left_out", "complaint"),
    [
        ("chatroom/chat/messaging.py", "no handler for Wave"),
        ("chatroom/model/wording.py", "these events have no words: Waved"),
    ],
)
def test_a_step_that_was_forgotten_is_noticed_at_the_start(copy: Path, left_out: str, complaint: str) -> None:
    add(copy, *(step for step in (*COMMAND, *OF_A_ROOM) if step[0] != left_out))
    done = run(copy, "-c", "import chatroom.tap, chatroom.chat.dispatch")
    assert done.returncode != 0
    assert complaint in done.stderr
