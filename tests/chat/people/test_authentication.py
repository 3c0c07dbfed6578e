"""Who somebody is, by ``twisted.cred``: our own checker first, then the operator's; never somebody else's namesake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat.people.becoming import NAME_IN_USE
from conftest import Errors
from harness import Client, QuickPasswords, World, result
from stepping import HeldPasswords
from twisted.cred.checkers import FilePasswordDB, ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from zope.interface import implementer

from chatroom.chat.operators.service import Operations
from chatroom.chat.people.credential_checkers import SLICE
from chatroom.chat.people.passwords import Busy
from chatroom.model.errors import Refused
from chatroom.model.names import user_name

WRONG = "Error: wrong username or password."
CLOSED = "Error: registration is closed here; ask the operator for an account."


@implementer(ICredentialsChecker)
class Checker:
    """An operator's, that answers as told; ``asked`` is whom for."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.asked: list[bytes] = []

    def requestAvatarId(self, credentials: Any) -> Any:
        self.asked.append(credentials.username)
        return self.answer(credentials)


def database(**users: str) -> InMemoryUsernamePasswordDatabaseDontUse:
    """Return a checker of Twisted's."""
    made = InMemoryUsernamePasswordDatabaseDontUse()
    for name, password in users.items():
        made.addUser(name.encode(), password.encode())
    return made


def login(world: World, user: str, password: str) -> list[str]:
    """Return what somebody is told who tries, and goes."""
    person = world.person()
    person.say(f"/login {user} {password}")
    lines = person.lines()
    person.drop()
    return lines


def test_whom_an_operators_checker_knows_is_given_an_account() -> None:
    world = World(checkers=[database(carol="theirs")])
    assert login(world, "carol", "wrong") == [WRONG]
    assert result(world.chat.accounts.all()) == []
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    (made,) = result(world.chat.accounts.all())
    assert (made.name, made.password, made.operator, made.reserved) == ("carol", "", False, False)
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert result(world.chat.accounts.all()) == [made], "the same again"
    assert login(world, "carol", "wrong") == [WRONG]
    world.close()


def register(world: World, user: str, password: str = "stranger's") -> Client:
    """Return somebody who tries to register."""
    person = world.person()
    person.say(f"/register {user} {password}")
    return person


def test_who_no_checker_knows_logs_in_by_the_password_of_ours() -> None:
    world = World(checkers=[database(carol="theirs")])
    register(world, "alice", "secret").drop()
    assert login(world, "alice", "theirs") == [WRONG]
    assert login(world, "alice", "secret")[0] == "You are logged in as alice."
    world.close()


@pytest.mark.parametrize("name", ["carol", "CAROL", "caro1", "\uff43arol"])
def test_a_name_that_a_checker_knows_is_registered_by_nobody_else_nor_taken_by_a_guest(name: str) -> None:
    world = World(checkers=[database(zoe="z"), database(carol="theirs")])
    stranger = register(world, name)
    stranger.say(f"/name {name}")
    assert stranger.lines() == [NAME_IN_USE] * 2
    assert result(world.chat.accounts.all()) == []
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    world.close()


def test_a_file_of_passwords_is_asked_for_its_names_as_they_are_now(tmp_path: Path) -> None:
    path = tmp_path / "chat.passwd"
    path.write_text("carol:theirs\nno name:x\nbroken\n\n")
    world = World(checkers=[FilePasswordDB(str(path))])
    assert register(world, "Carol").lines() == [NAME_IN_USE]
    assert register(world, "dave").lines()[0] == "You are logged in as dave."
    path.write_text("carol:theirs\nerin:theirs\n")
    assert register(world, "erin").lines() == [NAME_IN_USE]
    path.unlink()
    assert register(world, "frank").lines() == [CLOSED], "nobody knows whose names they are"
    world.close()


def test_a_byte_order_mark_belongs_to_no_name_of_a_file_of_passwords(tmp_path: Path) -> None:
    path = tmp_path / "notepad.passwd"
    path.write_bytes(b"\xef\xbb\xbfolga:first in it\r\npeer:second\r\n")
    world = World(checkers=[FilePasswordDB(str(path))])
    assert register(world, "olga").lines() == [NAME_IN_USE]
    assert register(world, "peer").lines() == [NAME_IN_USE]
    assert login(world, "olga", "first in it")[0] == "You are logged in as olga."
    assert login(world, "peer", "second")[0] == "You are logged in as peer."
    assert login(world, "olga", "second") == [WRONG]
    assert login(world, "\ufeffolga", "first in it") == [WRONG]
    world.close()


def test_a_long_file_of_passwords_is_looked_at_in_many_turns(tmp_path: Path) -> None:
    path = tmp_path / "chat.passwd"
    path.write_text("".join(f"user{number}:theirs\n" for number in range(10 * SLICE)))
    world = World(checkers=[FilePasswordDB(str(path))])
    turns: list[float] = []
    later = world.clock.callLater

    def counted(delay: float, *args: Any, **named: Any) -> Any:
        turns.append(delay)
        return later(delay, *args, **named)

    world.clock.callLater = counted  # type: ignore[method-assign]
    known = Deferred.fromCoroutine(world.chat.checkers.know(user_name(f"user{10 * SLICE - 1}")))
    assert not known.called
    world.settle()
    assert known.result is True
    assert turns == [0] * 10
    world.close()


def test_where_a_checker_cannot_say_its_names_nobody_registers() -> None:
    world = World(checkers=[database(carol="theirs"), Checker(lambda credentials: fail(UnauthorizedLogin()))])
    assert register(world, "carol").lines() == [NAME_IN_USE]
    assert register(world, "dave").lines() == [CLOSED]
    guest = world.person("dave")
    guest.say("/hello")
    assert guest.lines() == ["Hello, dave!"], "guests have names all the same"
    world.close()


def test_registration_can_be_turned_off() -> None:
    world = World(register=False)
    person = world.person()
    person.say("/register zoe secret", "/register zoe short", "/register server secret")
    assert person.lines() == [CLOSED] * 3
    assert result(world.chat.accounts.all()) == []
    done = Deferred.fromCoroutine(Operations(world.chat, "olga").add_account("zoe", "secret"))
    world.settle()
    assert done.called
    assert login(world, "zoe", "secret")[0] == "You are logged in as zoe."
    world.close()


def test_a_name_that_was_registered_before_its_owner_had_a_checker_becomes_the_owners() -> None:
    checkers: list[Any] = []
    world = World(sessions=0, checkers=checkers)
    stranger = register(world, "carol")
    no = UnauthorizedLogin()
    world.chat.checkers._checkers = [Checker(lambda c: succeed(c.username) if c.password == b"theirs" else fail(no))]
    before = result(world.chat.accounts.all())[0]
    stranger.take()
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert stranger.lines()[0] == "Error: the password of carol was changed; log in again with the new one."
    assert not stranger.open
    (account,) = result(world.chat.accounts.all())
    assert (account.id, account.password, account.tokens) == (before.id, "", ())
    assert login(world, "carol", "stranger's") == [WRONG]
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    world.close()


def test_the_password_that_the_operator_gave_an_account_stays() -> None:
    world = World(checkers=[database(carol="theirs")])
    result(world.chat.accounts.add(user_name("carol"), "hash of given", reserved=True))
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert login(world, "carol", "given")[0] == "You are logged in as carol."
    assert login(world, "carol", "wrong") == [WRONG]
    world.close()


def test_a_checkers_password_is_never_stored_as_ours() -> None:
    class Aging(QuickPasswords):
        def outdated(self, hashed: str) -> bool:
            return True

    world = World(checkers=[database(carol="theirs")], passwords=Aging())
    result(world.chat.accounts.add(user_name("carol"), "hash of given", reserved=True))
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert result(world.chat.accounts.all())[0].password == "hash of given"
    world.close()


def test_a_password_that_the_operator_keeps_is_not_changed_here() -> None:
    world = World(checkers=[database(carol="theirs")])
    carol = world.person()
    carol.say("/login carol theirs")
    carol.take()
    carol.say("/password theirs something")
    assert carol.lines() == ["Error: your password is kept outside this chat; ask the operator to change it."]
    assert result(world.chat.accounts.all())[0].password == ""
    world.close()


def test_checkers_are_asked_one_after_the_other_until_one_knows() -> None:
    first = Checker(lambda credentials: fail(UnauthorizedLogin()))
    last = Checker(lambda credentials: succeed(credentials.username))
    world = World(checkers=[first, database(carol="theirs"), last])
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert (first.asked, last.asked) == ([b"carol"], [])
    world.close()


def test_a_checker_that_fails_knows_nobody_and_is_logged(errors: Errors) -> None:
    def broken(credentials: Any) -> Any:
        raise OSError("no such server")

    world = World(checkers=[Checker(broken), database(carol="theirs")])
    assert login(world, "carol", "theirs")[0] == "You are logged in as carol."
    assert login(world, "dave", "theirs") == [WRONG]
    errors.expect(OSError)
    world.close()


@pytest.mark.parametrize("name", ["server", "guest-abcd", "/me", "", "a b"])
def test_a_checker_is_not_asked_for_what_is_no_name(name: str) -> None:
    theirs = Checker(lambda credentials: succeed(credentials.username))
    world = World(checkers=[theirs])
    bot = world.program()
    bot.record(do="login", user=name, password="x")
    assert bot.records()[0]["code"] == "wrong-password"
    assert theirs.asked == []
    world.close()


def test_the_owner_of_a_deleted_account_is_not_taken_for_its_namesake() -> None:
    """It is deleted, and its name registered by somebody else, while the password is looked at."""
    passwords = HeldPasswords()
    world = World(passwords=passwords)
    first = world.person()
    first.say("/register alice secret", "/logout")
    late, other = world.person(), world.person()
    passwords.holding = True
    late.say("/login alice secret")
    passwords.holding = False
    (account,) = result(world.chat.accounts.all())
    assert result(world.chat.accounts.remove(account))
    other.say("/register alice another", "/logout")
    late.take()
    passwords.let_go()
    world.settle()
    assert WRONG in late.lines()
    assert late.transport.protocol._session.user.account is None
    world.close()


def test_an_account_that_is_deleted_while_its_hash_is_made_anew_is_nobodys() -> None:
    class Old(HeldPasswords):
        def outdated(self, hashed: str) -> bool:
            self.holding = True
            return True

    passwords = Old()
    world = World(passwords=passwords)
    alice = world.person()
    alice.say("/register alice secret", "/logout", "/login alice secret")
    assert len(passwords.waiting) == 1
    (account,) = result(world.chat.accounts.all())
    assert result(world.chat.accounts.remove(account))
    alice.take()
    passwords.let_go()
    world.settle()
    assert alice.lines() == [WRONG]
    assert alice.transport.protocol._session.user.account is None
    world.close()


def test_an_outdated_hash_is_made_anew_once_the_password_is_known() -> None:
    class Aging(QuickPasswords):
        def hash(self, password: str) -> Deferred[str]:
            return succeed(f"new hash of {password}")

        def verify(self, hashed: str, password: str) -> Deferred[bool]:
            return succeed(hashed.removeprefix("new ") == f"hash of {password}")

        def outdated(self, hashed: str) -> bool:
            return not hashed.startswith("new ")

    world = World(passwords=Aging())
    result(world.chat.accounts.add(user_name("alice"), "hash of secret"))
    assert login(world, "alice", "wrong") == [WRONG]
    assert result(world.chat.accounts.all())[0].password == "hash of secret"
    assert login(world, "alice", "secret")[0] == "You are logged in as alice."
    assert result(world.chat.accounts.all())[0].password == "new hash of secret"
    world.close()


def test_when_too_many_ask_one_is_told_to_try_again_and_that_is_no_failure() -> None:
    class Full(QuickPasswords):
        busy = True

        def verify(self, hashed: str, password: str) -> Deferred[bool]:
            return fail(Busy()) if self.busy else super().verify(hashed, password)

        def hash(self, password: str) -> Deferred[str]:
            return fail(Busy()) if self.busy else super().hash(password)

    passwords = Full()
    world = World(passwords=passwords)
    person = world.person()
    busy = "Error: too many people are logging in at this moment; try again in a few seconds."
    for _ in range(5):
        person.say("/login alice secret", "/register alice secret")
        assert person.lines() == [busy] * 2
    passwords.busy = False
    person.say("/register alice secret")
    assert person.lines()[0] == "You are logged in as alice."
    with pytest.raises(Refused, match="wrong username"):
        result(world.chat.authenticator.authenticate("alice", "wrong"))
    world.close()


@pytest.mark.parametrize("user", ["alice", "nobody", "/me"])
def test_a_password_is_looked_at_even_when_there_is_no_such_account(user: str) -> None:
    """So that the answer takes as long."""
    looked: list[tuple[str, str]] = []

    class Watched(QuickPasswords):
        def verify(self, hashed: str, password: str) -> Deferred[bool]:
            looked.append((hashed, password))
            return super().verify(hashed, password)

    world = World(passwords=Watched())
    result(world.chat.accounts.add(user_name("alice"), "hash of secret"))
    assert login(world, user, "wrong") == [WRONG]
    assert looked == [("hash of secret" if user == "alice" else "", "wrong")]
    world.close()
