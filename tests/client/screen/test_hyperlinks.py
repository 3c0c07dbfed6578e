"""Links that the terminal can follow: only the right characters are part of one, whatever is drawn anew."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style

from chatroom.client.screen.hyperlinks import MOST, LinkingOutput, LinkingStyle, LinkTable, with_links
from chatroom.model.text import clean

URL = "https://e.org/x"


class Paper(io.StringIO):
    """What is written, without a terminal."""

    encoding = "utf-8"


def written(*rows: list[tuple[str, str]], table: LinkTable | None = None) -> str:
    """Return what is written for pieces of text with links in them."""
    table = table or LinkTable(on=True)
    paper: Any = Paper()
    output = LinkingOutput(paper, lambda: Size(24, 80), default_color_depth=ColorDepth.DEPTH_1_BIT)
    output.links = table
    table.begin()
    for row in rows:
        pieces: Any = [(table.style(style), text) for style, text in with_links(row)]
        print_formatted_text(output, pieces, LinkingStyle(Style([])), color_depth=ColorDepth.DEPTH_1_BIT)
    return re.sub(r"\x1b\[[?0-9;]*[hlm]", "", paper.getvalue())


def test_a_link_begins_and_ends_where_it_does() -> None:
    assert written([("", f"see {URL}, you")]) == f"see \x1b]8;id=0;{URL}\x1b\\{URL}\x1b]8;;\x1b\\, you"


def test_two_links_side_by_side_and_in_several_styles() -> None:
    text = written([("", f"{URL}1"), ("bold", "2 "), ("", f"{URL}2")])
    assert text == (f"\x1b]8;id=0;{URL}12\x1b\\{URL}12\x1b]8;;\x1b\\ \x1b]8;id=1;{URL}2\x1b\\{URL}2\x1b]8;;\x1b\\")


def test_without_links_nothing_is_written_for_them() -> None:
    assert written([("", URL)], table=LinkTable(on=False)) == URL


@pytest.mark.parametrize(
    "text",
    [
        "https://e.org/\x1b]8;;https://evil.org\x1b\\click",
        "https://e.org/a\x07b;c\x9cd\u2028e\x00f",
        "https://e.org/;id=9;https://evil.org",
        "https://e.org/\x1b[2J\x1b]52;c;aGk=\x07",
        "[link:3] [ZeroWidthEscape] https://e.org/[ZeroWidthEscape]",
    ],
    ids=ascii,
)
def test_no_text_puts_an_escape_on_the_screen(text: str) -> None:
    shown = written([("", clean(text))])
    parts = re.split(r"\x1b\]8;(?:id=\d+)?;[!#-:=?-\[\]_a-zA-Z~]*\x1b\\", shown)
    assert "".join(parts) == clean(text)


def test_an_address_keeps_its_number_while_it_is_shown_and_no_other_gets_it_at_once() -> None:
    table = LinkTable(on=True)

    def drawn(*urls: str) -> list[str]:
        table.begin()
        return [table.style(with_links([("", url)])[0][0]) for url in urls]

    assert drawn(URL, f"{URL}2") == ["[link:0]", "[link:1]"]
    assert drawn(f"{URL}2", f"{URL}3") == ["[link:1]", "[link:2]"]  # 0 was drawn before
    assert drawn(f"{URL}2", f"{URL}4") == ["[link:1]", "[link:0]"]
    assert table.address(0) == f"{URL}4"
    many = drawn(*(f"{URL}{number}" for number in range(MOST + 5)))
    assert many[MOST:] == [""] * 5
    numbers = {style for _ in range(50) for style in drawn(*(f"{URL}/{_}/{n}" for n in range(MOST)))}
    assert len(numbers) <= 2 * MOST + 1
