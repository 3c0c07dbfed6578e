"""The bar fits whatever width there is, with the most important first."""

from __future__ import annotations

import pytest
from client.screen.stage import FakeClient
from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.bar import bar, fitted


def text(client: FakeClient, columns: int) -> str:
    ((_, words),) = bar(client, "chat.example:8888", columns)
    return words


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (100, " physics (3 users) | dora | 2 private | TLS 1.3 | chatroom chat.example:8888 | lag 40 ms "),
        (80, " physics (3 users) | dora | 2 private | TLS 1.3 | chatroom chat.example:8888 "),
        (60, " physics (3 users) | dora | 2 private | TLS 1.3 | lag 40 ms "),
        (40, " physics (3) | dora | 2 private "),
        (20, " ph... (3) | dora "),
    ],
)
def test_as_much_is_shown_as_fits(columns: int, words: str) -> None:
    client = FakeClient()
    client.name, client.room, client.unread, client.lag, client.security = "dora", "physics", 2, 0.04, "TLS 1.3"
    assert text(client, columns) == words


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("long", ["W" * 64, "漢字" * 32, "a\u0301" * 64])
def test_it_is_never_wider_than_the_terminal(columns: int, long: str) -> None:
    client = FakeClient()
    client.name = client.room = client.server = long
    client.users = ["x"] * 5000
    for client.online in (True, False):
        assert get_cwidth(text(client, columns)) <= columns
    assert long[:4] in text(client, columns) or not client.online


def test_a_text_is_cut_by_columns_and_in_bounded_time() -> None:
    assert fitted("漢字漢字", 8) == "漢字漢字"
    assert fitted("漢字漢字漢", 8) == "漢字..."
    assert len(fitted("\u0301" * 1_000_000, 8)) < 100
