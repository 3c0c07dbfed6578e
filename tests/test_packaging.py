"""The wheel, installed into a fresh environment, is listed by twistd from anywhere, and its server starts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOT_SOURCE = (".venv", ".git", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info", "build", "dist", "dropin.cache")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy, so that nothing of an earlier build gets in."""
    source = tmp_path_factory.mktemp("source") / "chatroom"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", str(out), str(source))
    (built,) = out.glob("*.whl")
    return built


def run(*command: str) -> str:
    """Run a command from ``/``, without anything that would lead it to this tree; return what it prints."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd="/", env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_packages_and_the_plugin_and_no_cache(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "chatroom").rglob("*.py")}
    assert modules | {"twisted/plugins/chatroom_plugin.py"} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not [name for name in names if "dropin" in name or name.startswith(("tests", "twisted/__init__"))]


def test_an_installed_wheel_is_listed_by_twistd_and_starts(wheel: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    run(sys.executable, "-m", "venv", str(fresh))
    run(str(fresh / "bin" / "pip"), "install", "-q", str(wheel))
    twistd = str(fresh / "bin" / "twistd")
    assert " chatroom " in run(twistd, "--help")
    assert "keep-days" in run(twistd, "-n", "chatroom", "--check-config", "--port", "0", "--data", str(tmp_path))
    assert "backup" in run(str(fresh / "bin" / "chatroom-admin"), "--help")
    server = subprocess.Popen(
        [twistd, "-n", "--pidfile=", "chatroom", "--port", "0", "--data", str(tmp_path / "data")],
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert any("listening on" in line for line in server.stdout), "it ended without listening"
    server.terminate()
    server.stdout.read()
    server.stdout.close()
    assert server.wait() == 0


def test_announcing_the_plugin_imports_nothing_of_the_server() -> None:
    loaded = run(
        sys.executable,
        "-c",
        "import sys; from twisted.plugin import getPlugins; from twisted.application.service import IServiceMaker;"
        "assert 'chatroom' in {p.tapname for p in getPlugins(IServiceMaker)};"
        "print([m for m in sys.modules if m == 'chatroom' or m.startswith('chatroom.')])",
    )
    assert loaded.strip() == "[]"
