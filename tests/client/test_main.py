"""Which server the command line means."""

from __future__ import annotations

import pytest

from chatroom.client.config import BadConfig
from chatroom.client.main import wanted


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        (["chat.example"], "chat.example", 8888),
        (["chat.example", "9000"], "chat.example", 9000),
        (["chat.example:9000"], "chat.example", 9000),
        (["[::1]:9000"], "::1", 9000),
        (["::1"], "::1", 8888),
        (["[::1]"], "::1", 8888),
        (["::1", "9000"], "::1", 9000),
    ],
)
def test_a_server_may_be_written_as_it_is_shown(typed: list[str], host: str, port: int) -> None:
    wish = wanted(typed, {"HOME": "/nowhere"})
    assert (wish.host, wish.port) == (host, port)


def test_a_wrong_port_is_named_however_it_is_written() -> None:
    with pytest.raises(BadConfig, match=r"^chat\.example:x: x is no port; it is a number from 1 to 65535\.$"):
        wanted(["chat.example:x"], {"HOME": "/nowhere"})
