"""Which links are found in a text, and what addresses they have."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.client.screen.links import LONGEST, links_in
from chatroom.model.text import clean


def addresses(text: str) -> list[str]:
    return [link.address for link in links_in(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("see https://example.org/a?b=c#d, or http://x.org.", ["https://example.org/a?b=c#d", "http://x.org"]),
        ("(https://e.org/a_(b))", ["https://e.org/a_(b)"]),
        ("(see https://e.org/x)!", ["https://e.org/x"]),
        ("<https://e.org/x>", ["https://e.org/x"]),
        ('"https://e.org/x"', ["https://e.org/x"]),
        ("HTTPS://E.ORG/X", ["HTTPS://E.ORG/X"]),
        ("http://[::1]:8080/x", ["http://[::1]:8080/x"]),
        ("https://m\u00fcnchen.de/stra\u00dfe", ["https://m%C3%BCnchen.de/stra%C3%9Fe"]),
        ("https://e.org/a;b;c", ["https://e.org/a%3Bb%3Bc"]),
        ("one\nhttps://e.org/x\ntwo", ["https://e.org/x"]),
        ("xhttps://e.org", []),
        ("https:// e.org https://", []),
        ("ftp://e.org file:///etc/passwd javascript:alert(1) data:text/html,x", []),
        ("https://-e", []),
        ("https://e.org/" + "x" * LONGEST, []),
    ],
    ids=ascii,
)
def test_links_are_found(text: str, wanted: list[str]) -> None:
    assert addresses(text) == wanted


@given(st.text(st.sampled_from("http://https://e.org/a;\x1b\x07\\]8;;\x9c \n\u202e\u2028%\"'()-"), max_size=60))
def test_an_address_can_end_no_escape_sequence_and_is_no_option(text: str) -> None:
    for shown in (text, clean(text), f"https://e.org/{text}"):
        for address in addresses(shown):
            assert re.fullmatch(r"(?i)https?://[!#-:=?-\[\]_a-z~]+", address), address
            assert not re.search(r"[;\s\x00-\x20\x7f-\U0010ffff]", address)


def test_hostile_texts_take_linear_time() -> None:
    for text in ("https://x/(" + "a" * 4000, "https://x/" + ")" * 4000, "https://" * 512, "https://x." * 400):
        start = time.perf_counter()
        links_in(text)
        assert time.perf_counter() - start < 0.05


def test_where_a_link_is() -> None:
    text = "see (https://e.org/x)."
    (link,) = links_in(text)
    assert text[link.start : link.end] == "https://e.org/x"
