"""Opening links and files: which program gets what, and what is said when there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from chatroom.client.screen.opener import PATIENCE, SHOWN_ONLY, Opener

URL = "https://e.org/$(reboot)'`x`&-rf%20"


class Desk:
    """An opener with programs that do nothing.

    Args:
        programs: Those that exist.
        environ: The environment.
        platform: The operating system.
        status: What they end with; None if they go on.
    """

    def __init__(
        self, *programs: str, environ: dict[str, str] | None = None, platform: str = "linux", status: int | None = 0
    ) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.started: list[list[str]] = []
        self.options: dict[str, Any] = {}
        self.status = status
        self.opener = Opener(
            self.clock,
            environ or {},
            self.said.append,
            self._start,
            lambda name: f"/bin/{name}" if name in programs else None,
            platform,
        )

    def _start(self, command: list[str], **options: Any) -> Any:
        self.started.append(command)
        self.options = options
        return self

    def poll(self) -> int | None:
        """Return how the program has ended."""
        return self.status


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({}, ["/bin/xdg-open", URL]),
        ({"BROWSER": "firefox"}, ["/bin/firefox", URL]),
        ({"BROWSER": "nothing:firefox --new-tab"}, ["/bin/firefox", "--new-tab", URL]),
        ({"BROWSER": "firefox '--url=%s' -x"}, ["/bin/firefox", f"--url={URL}", "-x"]),
        ({"BROWSER": "firefox 'x"}, ["/bin/xdg-open", URL]),
        ({"BROWSER": "::"}, ["/bin/xdg-open", URL]),
    ],
)
def test_a_link_is_one_argument_and_no_shell_sees_it(environ: dict[str, str], command: list[str]) -> None:
    desk = Desk("xdg-open", "firefox", environ=environ)
    desk.opener.link(URL)
    assert desk.started == [command]
    assert desk.said == [f"opening {URL}"]
    assert desk.options["start_new_session"]
    assert not desk.options.get("shell")
    assert {desk.options[name] for name in ("stdin", "stdout", "stderr")} == {subprocess.DEVNULL}


def test_on_a_mac_it_is_another_program() -> None:
    desk = Desk("open", "xdg-open", platform="darwin")
    desk.opener.link(URL)
    assert desk.started == [["/bin/open", URL]]


def test_without_a_program_the_link_is_shown() -> None:
    desk = Desk()
    desk.opener.link(URL)
    assert desk.started == []
    assert desk.said == [f"there is no program here that opens it ($BROWSER, xdg-open); the link is {URL}"]


def test_a_program_that_fails_at_once_is_told_and_one_that_goes_on_is_not() -> None:
    desk = Desk("xdg-open", status=None)
    desk.opener.link(URL)
    desk.clock.advance(0.25)
    desk.status = 3
    desk.clock.advance(0.25)
    assert desk.said[1:] == [f"/bin/xdg-open could not open it (status 3); the link is {URL}"]
    assert desk.clock.getDelayedCalls() == []
    desk = Desk("xdg-open", status=None)
    desk.opener.link(URL)
    desk.clock.pump([0.25] * int(PATIENCE / 0.25 + 2))
    assert desk.clock.getDelayedCalls() == []
    assert len(desk.said) == 1


def test_a_program_that_cannot_be_started_is_told() -> None:
    said: list[str] = []

    def start(command: list[str], **options: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    Opener(Clock(), {}, said.append, start, lambda name: f"/bin/{name}", "linux").link(URL)
    assert said == [
        f"/bin/xdg-open could not be started ([Errno 13] Permission denied); the link is {URL}",
    ]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "-rf", "javascript:x", "ftp://e.org"])
def test_nothing_but_http_is_ever_opened(address: str) -> None:
    desk = Desk("xdg-open")
    with pytest.raises(ValueError, match="no link"):
        desk.opener.link(address)
    assert desk.started == []


def test_a_file_is_opened_if_it_can_do_no_harm(tmp_path: Path) -> None:
    desk = Desk("xdg-open", environ={"BROWSER": "firefox"})
    desk.opener.file(tmp_path / "-x.PNG")
    assert desk.started == [["/bin/xdg-open", f"{tmp_path}/-x.PNG"]]
    for name in ("x.desktop", "x.html", "x.sh", "x", "x.png.exe", "x.jar", "x.svg"):
        desk.opener.file(tmp_path / name)
        assert desk.said[-1] == f"a file of that kind could be a program, so it is not opened; it is {tmp_path / name}."
    assert len(desk.started) == 1
    assert not SHOWN_ONLY & {"html", "htm", "svg", "desktop", "exe", "sh", "jar", "command", "lnk", "scpt"}


def test_a_real_program_gets_it(tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'got')!r}, 'w').write(sys.argv[1])\n")
    program.chmod(0o755)
    children: list[Any] = []

    def start(command: list[str], **options: Any) -> Any:
        children.append(subprocess.Popen(command, **options))
        return children[-1]

    opener = Opener(Clock(), {"BROWSER": str(program)}, lambda text: None, start)
    opener.link(URL)
    assert children[0].wait() == 0
    assert (tmp_path / "got").read_text() == URL
