"""What a client asks the server for, and how it puts the answers together."""

from __future__ import annotations

from typing import Any

import pytest
from harness import result
from twisted.internet.defer import Deferred, succeed

from chatroom.client.encryption.key_server import MOST_READS, USERS, KeyServer
from chatroom.client.errors import Rejected
from chatroom.model.key_replies import Keys, UserKeys
from chatroom.model.replies import MemberId, MemberIdPage


class Stingy:
    """A server that answers for a few users at a time.

    Args:
        most: How many users are in one answer.

    Attributes:
        asked: How many users were in each question.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.asked: list[int] = []

    def answer(self, do: str, *, users: list[str], **more: Any) -> Deferred[Keys]:
        """Answer a question for device lists."""
        self.asked.append(len(users))
        given = [UserKeys(name=user, user_id=user, list=None, rev=0) for user in users[: self._most]]
        return succeed(Keys(users=given, pending=[], more=len(users) - len(given)))


def test_the_users_who_are_left_out_of_an_answer_are_asked_for_again() -> None:
    stingy, users = Stingy(20), [f"id:{number}" for number in range(USERS + 5)]
    found, _ = result(KeyServer(stingy.answer).query([*users, users[0]]))  # type: ignore[arg-type]
    assert [user.name for user in found] == users
    assert stingy.asked == [50, 35, 15]


def test_a_server_that_answers_for_nobody_is_not_asked_for_ever() -> None:
    stingy = Stingy(0)
    found, _ = result(KeyServer(stingy.answer).query(["alice", "bob"]))  # type: ignore[arg-type]
    assert (found, stingy.asked) == ([], [2, 1])


class Moving:
    """A room whose members change between two pages of their list."""

    def __init__(self) -> None:
        self._pages = [(1, "alice", 1), (2, "bob", 0), (2, "alice", 1), (2, "carol", 0)]
        self.asked: list[int] = []

    def answer(self, do: str, *, after: int, **more: Any) -> Deferred[MemberIdPage]:
        """Answer a question for members."""
        rev, name, left = self._pages[len(self.asked)]
        self.asked.append(after)
        return succeed(MemberIdPage(room="den", rev=rev, members=[MemberId(name, name, 1)], more=left))


def test_members_who_change_while_they_are_read_are_read_again() -> None:
    moving = Moving()
    rev, members, _ = result(KeyServer(moving.answer).members("den"))  # type: ignore[arg-type]
    assert (rev, [name for _, name, _ in members]) == (2, ["alice", "carol"])
    assert moving.asked == [0, 1, 0, 1]


@pytest.mark.parametrize("kind", ["changes with each page", "is never at an end"])
def test_a_list_of_members_that_has_no_end_is_given_up(kind: str) -> None:
    asked: list[int] = []

    def answer(do: str, *, after: int, **more: Any) -> Deferred[MemberIdPage]:
        asked.append(after)
        changing = kind == "changes with each page"
        members = [MemberId("alice", "alice", 1)] if changing else []
        return succeed(MemberIdPage(room="den", rev=len(asked) if changing else 1, members=members, more=1))

    with pytest.raises(Rejected, match="try again"):
        result(KeyServer(answer).members("den"))  # type: ignore[arg-type]
    assert len(asked) == (2 * MOST_READS if kind == "changes with each page" else 1)


def test_a_server_that_makes_up_members_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.client.encryption.key_server.MOST_MEMBERS", 10)

    def answer(do: str, *, after: int, **more: Any) -> Deferred[MemberIdPage]:
        assert after < 20
        return succeed(MemberIdPage(room="den", rev=1, members=[MemberId(f"m{after}", "m", 1)], more=1))

    with pytest.raises(Rejected, match="try again"):
        result(KeyServer(answer).members("den"))  # type: ignore[arg-type]
