"""Remove each guard of the encryption in turn, in a copy of the project, and show that a test fails without it.

    PYTHONPATH=tests python -m guards.remove [--look] [WORD ...]

Only guards with one of the words in their line are removed; all of them if there is none. With ``--look``, no test is
run: it is only said which guards are not in their files any more as the tables have them. Not a part of the tests: it
takes an hour. The guards are in the other modules of this folder, by package. The exit status is 1 if the tests pass
without a guard, or if a guard is not found exactly once in its file.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory

from guards import (
    around,
    costs,
    crypto_people,
    crypto_rooms,
    devices,
    direct,
    files,
    keys,
    private,
    rooms,
    sealed_rooms,
    vault,
)
from guards.guard import Guard

TABLES = (crypto_people, crypto_rooms, vault, private, devices, sealed_rooms, around, direct, files, rooms, keys, costs)
GUARDS = [guard for table in TABLES for guard in table.GUARDS]
PROJECT = Path(__file__).parents[2]
COPIED = ("chatroom", "tests", "benchmarks", "twisted", "setup.cfg", "pyproject.toml")
LONGEST = 240  # seconds for the tests of one guard; a guard may be missed by a test that does not end


def copy_project(to: Path) -> None:
    """Copy what the tests need, so that an interrupted run leaves no guard removed."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            copytree(source, to / name, ignore=ignore_patterns("__pycache__"))
        elif source.exists():
            (to / name).write_bytes(source.read_bytes())


def passes(project: Path, tests: tuple[str, ...]) -> bool:
    """Return whether tests pass in a copy of the project."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # a file may change twice in one second
    environment.pop("PYTHONPATH", None)  # it names the tests of the project itself
    try:
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def places(project: Path, guard: Guard) -> list[Path]:
    """Return the file that has a guard, as often as it has it; or, if it was moved, the files beside it that do."""
    file = project / guard.file
    beside = [path for path in sorted(file.parent.glob("*.py")) if path != file]
    for paths in ([file], beside):
        found = [path for path in paths if path.exists() for _ in range(path.read_text().count(guard.text))]
        if found:
            return found
    return []


def fault(project: Path, guard: Guard) -> str:
    """Return why a guard cannot be removed; empty if it can."""
    found = places(project, guard)
    if len(found) != 1:
        return f"FOUND {len(found)} TIMES"
    try:
        compile(found[0].read_text().replace(guard.text, guard.instead), found[0].name, "exec")
    except SyntaxError as error:
        return f"NO PYTHON ({error})"
    return ""


def remove(project: Path, guard: Guard) -> str:
    """Remove a guard, run its tests, and put it back; return what came of it."""
    if why := fault(project, guard):
        return why
    (path,) = places(project, guard)
    text = path.read_text()
    path.write_text(text.replace(guard.text, guard.instead))
    try:
        return "NO TEST FAILS" if passes(project, guard.tests) else "missed"
    finally:
        path.write_text(text)


def look(chosen: list[Guard]) -> int:
    """Say which guards are not found as the tables have them; return how many."""
    faults = [(guard, why) for guard in chosen if (why := fault(PROJECT, guard))]
    for guard, why in faults:
        print(f"{why}: {guard.file}: {guard.what}: {guard.text!r}")
    return len(faults)


def try_all(chosen: list[Guard]) -> int:
    """Remove each guard in turn; return how many no test missed, or were not found."""
    wrong = 0
    with TemporaryDirectory() as folder:
        project = Path(folder)
        copy_project(project)
        if not passes(project, tuple(sorted({test for guard in chosen for test in guard.tests}))):
            print("the tests fail with all guards in place")
            return len(chosen)
        for guard in chosen:
            since = time.monotonic()
            result = remove(project, guard)
            wrong += result != "missed"
            print(f"{result}: {guard.file}: {guard.what} ({time.monotonic() - since:.0f} s)", flush=True)
    return wrong


def main(words: list[str]) -> int:
    """Run the script; return its exit status."""
    only_look = "--look" in words
    words = [word for word in words if word != "--look"]
    chosen = [guard for guard in GUARDS if not words or any(word in str(guard) for word in words)]
    wrong = look(chosen) if only_look else try_all(chosen)
    print(f"{len(chosen)} guards, {wrong} wrong")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
