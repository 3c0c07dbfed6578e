"""Only what the author of a message sealed in the same place changes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatroom.client.crypto.believed_amendments import Standing, check_amendment, conversation_of
from chatroom.client.crypto.errors import CryptoRefusal

MESSAGE = Standing("alice", "room-1", sealed=True, authenticated=True)


def refusal(kind: str, change: Standing, message: Standing | None = MESSAGE) -> str:
    """Return the code with which a change is ignored."""
    with pytest.raises(CryptoRefusal) as refused:
        check_amendment(kind, change, message)
    return refused.value.code


@pytest.mark.parametrize("kind", ["edit", "react", "delete"])
def test_the_author_changes_its_message(kind: str) -> None:
    check_amendment(kind, MESSAGE, MESSAGE)


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_nobody_else_edits_or_deletes_it(kind: str) -> None:
    assert refusal(kind, replace(MESSAGE, author="mallory")) == "not-author"


def test_everybody_reacts_to_it() -> None:
    check_amendment("react", replace(MESSAGE, author="bob"), MESSAGE)


@pytest.mark.parametrize("kind", ["edit", "react", "delete"])
def test_a_change_from_another_place_or_of_an_unknown_message_is_ignored(kind: str) -> None:
    assert refusal(kind, replace(MESSAGE, place="room-2")) == "unknown-message"
    assert refusal(kind, MESSAGE, None) == "unknown-message"


@pytest.mark.parametrize("kind", ["edit", "react", "delete"])
def test_a_plain_change_of_a_sealed_message_is_ignored(kind: str) -> None:
    assert refusal(kind, replace(MESSAGE, sealed=False)) == "plain-over-sealed"


def test_a_plain_message_is_changed_by_both() -> None:
    plain = replace(MESSAGE, sealed=False)
    check_amendment("edit", plain, plain)
    check_amendment("edit", MESSAGE, plain)


@pytest.mark.parametrize("kind", ["edit", "react", "delete"])
def test_a_change_whose_author_only_a_file_names_is_ignored(kind: str) -> None:
    unproven = replace(MESSAGE, authenticated=False)
    assert refusal(kind, unproven) == "unproven"
    check_amendment(kind, unproven, unproven)
    check_amendment(kind, MESSAGE, unproven)


def test_a_kind_that_is_not_known_is_ignored() -> None:
    assert refusal("pin", MESSAGE) == "unknown-kind"


def test_both_sides_of_a_conversation_are_one_place() -> None:
    assert conversation_of("alice", "bob", "alice") == conversation_of("alice", "alice", "bob") == "user bob"
    assert conversation_of("alice", "carol", "alice") != "user bob"
    assert conversation_of("alice", "alice", "alice") == "user alice"


def test_a_private_message_between_two_others_has_no_place() -> None:
    with pytest.raises(CryptoRefusal, match="two other people"):
        conversation_of("alice", "bob", "carol")
