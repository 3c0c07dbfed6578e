"""The client compares names as the server does: however the case and the accents of one are typed."""

from __future__ import annotations

from pathlib import Path

from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from chatroom.client.screen.colours import Colours
from chatroom.client.screen.completer import ChatCompleter
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.presenter import Filter
from chatroom.client.tokens import Tokens
from chatroom.model import events as e
from chatroom.model.names import fold

DECOMPOSED = "rene\u0301"


def said(by: str) -> e.Said:
    return e.Said("1", 0, by, "x", room="lobby", seq=1, text="hi")


def test_who_is_ignored_is_hidden_by_every_spelling() -> None:
    assert Filter(ignored={fold(DECOMPOSED)}).hides(said("Ren\xe9"), "me")
    assert not Filter(focus={fold("REN\xc9")}).hides(said("Ren\xe9"), "me")
    assert not Filter(ignored={fold("rene")}).hides(said("Ren\xe9"), "me")


def test_a_decomposed_beginning_is_completed() -> None:
    known = KnownWords(lambda: ["Ren\xe9e", "Renate"])
    known.add_usage("msg", "/msg <user> <text>")
    completer = ChatCompleter(known)
    found = completer.get_completions(Document(f"/msg {DECOMPOSED}"), CompleteEvent())
    assert [completion.text for completion in found] == ["Ren\xe9e "]


def test_every_spelling_has_the_same_colour() -> None:
    colours = Colours()
    assert colours.of(DECOMPOSED) == colours.of("Ren\xe9")
    assert Colours().of(DECOMPOSED) == Colours().of("REN\xc9")


def test_a_token_is_found_by_every_spelling(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.keep("chat:1", "Ren\xe9", "a")
    assert tokens.find("chat:1", DECOMPOSED) == ("Ren\xe9", "a")
    tokens.keep("chat:1", DECOMPOSED, "b")
    assert tokens.find("chat:1", "Ren\xe9") == (DECOMPOSED, "b")
