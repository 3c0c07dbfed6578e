"""What edits, reactions and deletions make of a message, and what is shown of a message where it is quoted."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chatroom.model import events as e
from chatroom.model.amendments import EXCERPT, REACTIONS, REACTIONS_OF_ONE, amended, excerpt, informed, supersedes
from chatroom.model.log import MessageGone, NothingToChange, NotTheAuthor, TooManyReactions
from chatroom.model.wording import LINES, what_became

WHO: dict[str, Any] = {"id": "x", "at": 2000, "by": "bob", "by_id": "b1"}
SAID = e.Said("m", 1000, "alice", "a1", text="good morning")
FILE = e.Shared("f", 1000, "alice", "a1", file="f", number=1, name="notes.txt", size=5, sha256="0")
THUMB, HEART, RED_HEART = "\U0001f44d", "\u2764", "\u2764\ufe0f"


def edited(text: str = "good evening", by_id: str = "a1") -> e.Edited:
    return e.Edited("x", 2000, "alice", by_id, message=7, text=text)


def reacted(emoji: str = THUMB, on: bool = True, by_id: str = "b1") -> e.Reacted:
    return e.Reacted("x", 2000, f"name of {by_id}", by_id, message=7, emoji=emoji, on=on)


def with_reactions(message: Any, *events: e.Reacted) -> Any:
    for event in events:
        message = amended(message, event)
    return message


def test_an_edit_by_the_author_replaces_the_text_and_says_when() -> None:
    assert amended(SAID, edited()) == replace(SAID, text="good evening", edited=2000)
    with pytest.raises(NotTheAuthor):
        amended(SAID, edited(by_id="b1"))


@pytest.mark.parametrize("amendment", [edited(), reacted(), reacted(on=False)])
def test_what_was_deleted_or_is_no_message_stays_as_it_is(amendment: Any) -> None:
    for message in (e.blanked(SAID), e.blanked(FILE), e.Locked(**WHO), e.Private(**WHO, to="alice", text="psst")):
        with pytest.raises(MessageGone):
            amended(message, amendment)


def test_a_file_has_no_text_to_edit_but_may_be_reacted_to() -> None:
    with pytest.raises(MessageGone):
        amended(FILE, edited())
    assert amended(FILE, reacted()).reactions == (e.EmojiReaction(THUMB, "name of b1", "b1"),)


def test_a_reaction_comes_once_and_is_taken_back_once() -> None:
    one = amended(SAID, reacted())
    with pytest.raises(NothingToChange):
        amended(one, reacted())
    with pytest.raises(NothingToChange):
        amended(one, reacted(on=False, by_id="c1"))
    both = amended(one, reacted(by_id="c1"))
    assert [reaction.by_id for reaction in both.reactions] == ["b1", "c1"]
    assert amended(both, reacted(on=False)).reactions == (e.EmojiReaction(THUMB, "name of c1", "c1"),)


def test_both_forms_of_an_emoji_are_one_reaction() -> None:
    one = amended(SAID, reacted(RED_HEART))
    for form in (HEART, RED_HEART):
        with pytest.raises(NothingToChange):
            amended(one, reacted(form))
        assert amended(one, reacted(form, on=False)).reactions == ()
    both = amended(one, reacted(HEART, by_id="c1"))
    assert [reaction.emoji for reaction in both.reactions] == [RED_HEART] * 2, "equal reactions look equal"
    assert informed(reacted(HEART, by_id="c1"), one).emoji == RED_HEART


def test_reactions_are_limited_for_each_user_and_in_all() -> None:
    full = with_reactions(SAID, *(reacted(chr(0x1F600 + i)) for i in range(REACTIONS_OF_ONE)))
    with pytest.raises(TooManyReactions):
        amended(full, reacted())
    assert len(amended(full, reacted(by_id="c1")).reactions) == REACTIONS_OF_ONE + 1
    assert len(amended(amended(full, reacted(chr(0x1F600), on=False)), reacted()).reactions) == REACTIONS_OF_ONE
    crowded = with_reactions(SAID, *(reacted(by_id=f"u{i}") for i in range(REACTIONS)))
    with pytest.raises(TooManyReactions):
        amended(crowded, reacted(by_id="late"))


def test_nothing_is_left_of_a_deleted_message_but_its_place() -> None:
    answer = replace(SAID, quote=3, quoted=e.Quoted("bob", "morning?"), edited=1500)
    deleted = e.Deleted(**WHO, message=7, user="alice")
    assert amended(amended(answer, reacted()), deleted) == replace(SAID, text="")
    assert amended(amended(FILE, reacted()), deleted) == replace(FILE, name="")


def test_a_plain_message_is_stored_as_before_there_were_amendments() -> None:
    stored = b'{"event":"said","id":"m","at":1000,"by":"alice","by_id":"a1","text":"good morning"}'
    assert e.encode(SAID) == stored
    assert e.encode(e.decode(stored)) == stored


def test_a_message_with_all_of_it_is_read_as_it_was_stored() -> None:
    message = replace(
        SAID, quote=3, quoted=e.Quoted("bob", ""), edited=5, reactions=(e.EmojiReaction(THUMB, "bob", "b1"),)
    )
    assert e.decode(e.encode(message)) == message


# ---- quotes -----------------------------------------------------------------------------------------------------


def test_an_excerpt_has_one_short_line() -> None:
    assert excerpt(SAID) == "good morning"
    assert excerpt(FILE) == "notes.txt"
    assert excerpt(replace(SAID, text="one\ntwo")) == "one two"
    assert excerpt(replace(SAID, text="x" * EXCERPT)) == "x" * EXCERPT
    assert excerpt(replace(SAID, text="x" * (EXCERPT + 1))) == "x" * (EXCERPT - 1) + "\u2026"
    assert excerpt(e.blanked(SAID)) == ""


def test_events_show_what_they_are_about() -> None:
    answer = e.Said(**WHO, text="morning!", quote=7)
    assert informed(answer, SAID).quoted == e.Quoted("alice", "good morning")
    assert informed(answer, e.blanked(SAID)).quoted == e.Quoted("alice", "")
    event = informed(reacted(), SAID)
    assert (event.user, event.text) == ("alice", "good morning")
    with pytest.raises(MessageGone):
        informed(answer, e.Locked(**WHO))


def test_what_is_superseded() -> None:
    assert supersedes(edited(), edited("before"))
    assert supersedes(reacted(on=False), reacted())
    assert supersedes(reacted(HEART), reacted(RED_HEART, on=False))
    assert not supersedes(reacted(), reacted(by_id="c1"))
    assert not supersedes(reacted(), reacted(HEART))
    assert not supersedes(edited(), reacted())
    assert not supersedes(reacted(), edited())
    assert not supersedes(e.Deleted(**WHO, message=7, user="alice"), edited())


# ---- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (edited(), "alice corrected: good evening"),
        (informed(reacted(), SAID), f'name of b1 reacted {THUMB} to "good morning"'),
        (informed(reacted(on=False), SAID), f'name of b1 took back {THUMB} from "good morning"'),
        (reacted(), f"name of b1 reacted {THUMB} to a deleted message"),
        (informed(e.Said(**WHO, text="hi", quote=7), SAID), 'bob (to alice: "good morning"): hi'),
        (informed(e.Acted(**WHO, text="waves", quote=7), SAID), '* bob (to alice: "good morning") waves'),
        (informed(e.Said(**WHO, text="hi", quote=7), e.blanked(SAID)), "bob (to alice: deleted): hi"),
    ],
)
def test_people_read_what_happens(event: Any, line: str) -> None:
    assert LINES[type(event)]("den", event) == line


def test_people_read_in_the_history_what_became_of_a_message() -> None:
    assert what_became(SAID) == ""
    assert what_became(amended(SAID, edited())) == " (edited)"
    many = with_reactions(SAID, reacted(), reacted(RED_HEART), reacted(by_id="c1"))
    assert what_became(many) == f"  [{THUMB} 2 {RED_HEART} 1]"
    assert what_became(amended(many, edited())) == f" (edited)  [{THUMB} 2 {RED_HEART} 1]"
    full = with_reactions(SAID, *(reacted(chr(0x1F600 + i)) for i in range(9)), reacted(chr(0x1F608), by_id="c1"))
    first = " ".join(f"{chr(0x1F600 + i)} 1" for i in range(7))
    assert what_became(full) == f"  [{chr(0x1F608)} 2 {first} \u2026]", "the most frequent ones"
    assert what_became(amended(FILE, reacted())) == f"  [{THUMB} 1]"
    assert what_became(e.Private(**WHO, to="alice", text="psst")) == ""
