"""What a private window shows when it is first looked at: the unread messages above all, each once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from client.screen.stage import NOW, Stage, Unread, on_stage

from chatroom.client.errors import Rejected
from chatroom.client.status import ConversationsListed
from chatroom.model import events as e
from chatroom.model import replies as a

RULE = "------------ new since you looked away ------------"


def private(text: str, seq: int, by: str = "bob") -> e.Private:
    kind = a.OwnPrivate if by == "me" else e.Private
    to = "bob" if by == "me" else "me"
    return kind(id=f"{by}{seq}", at=NOW * 1000, by=by, by_id=by, to=to, text=text, seq=seq)


def answer(stage: Stage, *events: Any, complete: bool = True, searched_to: int = 0) -> None:
    """Answer the client's question for older messages."""
    history = a.History("", list(events), complete, user="bob", searched_to=searched_to)
    stage.client.pasts.pop().callback(history)


async def asked(stage: Stage, **fields: Any) -> None:
    """Wait until the client has asked for older messages."""
    await stage.until(lambda: stage.client.pasts)
    assert stage.client.recalled[-1] == fields


async def shows_bob(stage: Stage, *rows: str) -> None:
    await stage.shows(*rows, "[@bob]")


async def bar_begins(stage: Stage, text: str) -> None:
    await stage.until(lambda: stage.rows[-1].startswith(f" {text}"))


def test_what_was_unread_at_the_start_is_shown_before_it_counts_as_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 2, seq=7, read=5)
        stage.client.peers["bea"] = Unread("bea", 0, seq=4, read=4)
        stage.tell(ConversationsListed())
        await bar_begins(stage, "1:lobby 2:@bob(2!) | ")
        stage.type("\x1ba")
        await asked(stage, user="bob", messages=20)
        assert stage.client.marked == []
        of_before, mine = private("of before", 4), private("mine", 5, "me")
        answer(stage, of_before, mine, private("one", 6), private("two", 7))
        await shows_bob(stage, "bob: of before", "me: mine", RULE, "bob: one", "bob: two")
        await bar_begins(stage, "1:lobby 2:@bob | ")
        assert stage.client.marked == [("@bob", 7)]

    on_stage(tmp_path, scene)


def test_what_came_since_stands_below_and_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 3, seq=7, read=5)
        stage.tell(private("two", 7))
        stage.tell(a.Sent("me8", "bob", "my answer"))
        await bar_begins(stage, "1:lobby 2:@bob(3!) | ")
        stage.type("\x1b2")
        await asked(stage, user="bob", messages=20)
        stage.tell(private("three", 9))
        own, three = private("my answer", 8, "me"), private("three", 9)
        answer(stage, private("old", 5), private("one", 6), private("two", 7), own, three)
        await shows_bob(stage, "bob: old", RULE, "bob: one", "bob: two", "me: my answer", "bob: three")
        stage.tell(private("three", 9), private("four", 10))
        await shows_bob(stage, "bob: three", "bob: four")
        stage.type("\x1b1")
        await bar_begins(stage, "1:lobby 2:@bob | ")
        stage.type("\x1b2")
        await shows_bob(stage, "bob: three", "bob: four")
        assert len(stage.client.recalled) == 1, "it is fetched once"

    on_stage(tmp_path, scene)


def test_as_many_are_fetched_as_are_unread_page_by_page(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 30, seq=60, read=2)
        stage.tell(ConversationsListed())
        stage.type("\x1b2")
        await asked(stage, user="bob", messages=30)
        answer(stage, *(private(f"no {seq}", seq) for seq in range(40, 61)), complete=False, searched_to=40)
        await asked(stage, user="bob", messages=30, before=40)
        answer(stage, *(private(f"no {seq}", seq) for seq in range(2, 11)), complete=False, searched_to=2)
        await shows_bob(stage, "bob: no 10", *(f"bob: no {seq}" for seq in range(40, 61)))
        assert stage.client.marked == [("@bob", 60)]

    on_stage(tmp_path, scene)


def test_nothing_is_read_while_it_cannot_be_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.peers["bob"] = Unread("bob", 1, seq=6, read=5)
        stage.tell(ConversationsListed())
        stage.type("\x1b2")
        await asked(stage, user="bob", messages=20)
        stage.client.pasts.pop().errback(Rejected("lost", "the connection was lost."))
        stage.type("\x1b1")
        await stage.shows("[lobby]")
        assert stage.client.marked == []
        stage.type("\x1b2")
        await asked(stage, user="bob", messages=20)
        answer(stage, private("psst", 6))
        await shows_bob(stage, RULE, "bob: psst")
        assert stage.client.marked == [("@bob", 6)]

    on_stage(tmp_path, scene)


def test_a_window_that_query_opens_shows_the_conversation(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.known.add_people(["bob"])
        stage.type("/query bob\r")
        await asked(stage, user="bob", messages=20)
        answer(stage, private("hi", 3), private("hello", 4, "me"))
        await shows_bob(stage, "bob: hi", "me: hello")

    on_stage(tmp_path, scene)


def test_what_one_writes_to_oneself_is_shown_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        note = e.Private(id="n", at=NOW * 1000, by="me", by_id="me", to="me", text="a note", seq=3)
        stage.tell(note, a.Sent("n", "me", "a note"))
        stage.type("\x1b2")
        await stage.shows("me: a note", "[@me]")
        assert [line.text for line in stage.screen.windows.front.lines] == ["me: a note"]

    on_stage(tmp_path, scene)
