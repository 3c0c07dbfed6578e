"""The bar fits whatever width there is, with the most important first."""

from __future__ import annotations

import pytest
from client.screen.stage import FakeClient
from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.bar import FRONT, bar, fitted
from chatroom.client.screen.window_list import WindowKind, Windows


def text(client: FakeClient, columns: int, windows: Windows | None = None, notice: str = "") -> str:
    return "".join(piece for _, piece in bar(client, "chat.example:8888", columns, windows or Windows(), notice))


def several(front: str = "lobby") -> Windows:
    """A lobby, a room with three unread messages, and bob, who wrote one."""
    windows = Windows()
    for kind, name in ((WindowKind.ROOM, "lobby"), (WindowKind.ROOM, "work"), (WindowKind.PERSON, "bob")):
        windows.open(kind, name)
    for window, unread, mentions in zip(windows, (0, 0, 3, 1), (0, 0, 0, 1), strict=True):
        window.unread, window.mentions = unread, mentions
    windows.go(next(window for window in windows if window.name == front))
    return windows


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (100, " physics (3 users) | dora | TLS 1.3 | chatroom chat.example:8888 | lag 40 ms "),
        (60, " physics (3 users) | dora | TLS 1.3 | lag 40 ms "),
        (40, " physics (3) | dora | TLS 1.3 "),
        (20, " ph... (3) | dora "),
    ],
)
def test_as_much_is_shown_as_fits(columns: int, words: str) -> None:
    client = FakeClient()
    client.name, client.room, client.lag, client.security = "dora", "physics", 0.04, "TLS 1.3"
    assert text(client, columns) == words


@pytest.mark.parametrize(
    ("columns", "front", "words"),
    [
        (100, "lobby", " 1:lobby 2:work(3) 3:@bob(1!) | 3 users | dora | plain | chatroom chat.example:8888 "),
        (100, "server", " 0:server 1:lobby 2:work(3) 3:@bob(1!) | dora | plain | chatroom chat.example:8888 "),
        (40, "lobby", " 1:lobby 2:work(3) 3:@bob(1!) | 3 "),
        (26, "lobby", " 1:lobby 3:@bob(1!) +1 "),
        (26, "bob", " 2:work(3) 3:@bob(1!) +1 "),
        (22, "lobby", " 1:lobby +2! | 3 "),
    ],
)
def test_of_several_windows_those_that_matter_fit(columns: int, front: str, words: str) -> None:
    client = FakeClient()
    client.name = "dora"
    client.focus(front if front == "lobby" else "")
    assert text(client, columns, several(front)) == words


def test_the_window_in_front_is_marked() -> None:
    pieces = bar(FakeClient(), "chat.example:8888", 80, several("work"))
    assert [piece for style, piece in pieces if style == FRONT] == ["2:work(3)"]


@pytest.mark.parametrize(("unread", "shown"), [(999, "2:work(999)"), (1000, "2:work(999+)")])
def test_no_number_is_longer_than_three_digits(unread: int, shown: str) -> None:
    windows = several()
    windows.meant("work").unread = unread  # type: ignore[union-attr]
    assert f" {shown} " in text(FakeClient(), 80, windows)


def test_who_is_typing_comes_before_ones_own_name() -> None:
    client = FakeClient()
    client.name = "dora"
    assert text(client, 50, notice="bob is typing") == " lobby (3) | bob is typing | dora | plain "


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
@pytest.mark.parametrize("long", ["W" * 64, "漢字" * 32, "a\u0301" * 64])
def test_it_is_never_wider_than_the_terminal(columns: int, long: str) -> None:
    client = FakeClient()
    client.name = client.room = client.server = long
    client.users = ["x"] * 5000
    for client.online in (True, False):
        assert get_cwidth(text(client, columns)) <= columns
    assert long[:2] in text(client, columns) or not client.online
    client.online = True
    windows = Windows()
    for number in range(12):
        windows.open(WindowKind.ROOM, f"{long}{number}").unread = 1000
        assert get_cwidth(text(client, columns, windows)) <= columns


def test_a_text_is_cut_by_columns_and_in_bounded_time() -> None:
    assert fitted("漢字漢字", 8) == "漢字漢字"
    assert fitted("漢字漢字漢", 8) == "漢字..."
    assert len(fitted("\u0301" * 1_000_000, 8)) < 100
