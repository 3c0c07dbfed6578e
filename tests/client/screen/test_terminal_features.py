"""What a terminal is known to be able to do, by the variables that it sets."""

from __future__ import annotations

import pytest

from chatroom.client.screen.terminal_features import LINKS, NOTIFY, has_links, way_to_notify

KNOWN = [
    ({"TERM": "xterm-kitty"}, True, "osc9"),
    ({"TERM": "foot"}, True, "osc777"),
    ({"TERM": "alacritty"}, True, "off"),
    ({"TERM": "rxvt-unicode-256color"}, False, "osc777"),
    ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True, "osc777"),
    ({"TERM": "xterm-256color", "VTE_VERSION": "4803"}, False, "osc777"),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, True, "osc9"),
    ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, False, "off"),
    ({"TERM": "xterm-256color", "KONSOLE_VERSION": "220401"}, True, "off"),
    ({"TERM": "xterm-256color", "WT_SESSION": "x"}, True, "off"),
    ({"TERM": "xterm-256color"}, False, "off"),
    ({"TERM": "linux"}, False, "off"),
    ({}, False, "off"),
    ({"TERM": "xterm-256color", "VTE_VERSION": "\u0663"}, False, "off"),
    # inside tmux the variables of the outer terminal may still be set
    ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4a"}, True, "off"),
    ({"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3"}, False, "off"),
    ({"TERM": "screen", "TERM_PROGRAM": "tmux", "VTE_VERSION": "7600"}, False, "off"),
    ({"TERM": "xterm-kitty", "STY": "x"}, False, "off"),
    ({"TERM": "xterm-kitty", "ZELLIJ": "0"}, False, "off"),
]


@pytest.mark.parametrize(("environ", "links", "way"), KNOWN, ids=str)
def test_what_is_known(environ: dict[str, str], links: bool, way: str) -> None:
    assert has_links(environ) is links
    assert way_to_notify(environ) == way


def test_what_the_user_says_goes_before() -> None:
    for environ, _, _ in KNOWN:
        assert [has_links(environ, wanted) for wanted in ("on", "off")] == [True, False]
        assert [way_to_notify(environ, wanted) for wanted in ("osc9", "osc777", "off")] == ["osc9", "osc777", "off"]
    assert LINKS == ("auto", "on", "off")
    assert NOTIFY == ("auto", "osc9", "osc777", "off")
