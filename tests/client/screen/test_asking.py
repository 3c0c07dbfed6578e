"""What the client asks: for the password of a wanted name, for a pair, how to paste; and what it does not ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.screen.stage import Stage, on_stage

from chatroom.client.screen.parser import CommandLine, pair, read, secret_from
from chatroom.client.status import Connected, Denied
from chatroom.model import replies as a

IN_USE = Denied("name", "nora", "name-in-use", "username is already used; choose another with /name <name>.")
ASKED = "nora is a registered name. Password for nora (Enter: choose another name):"


async def wanted_name_is_registered(stage: Stage) -> None:
    """Nora's name is refused, and it is an account's."""
    stage.tell(IN_USE)
    await stage.until(lambda: stage.client.did[-1:] == [("whois", {"user": "nora"})])
    person = a.Person(name="nora", account=True)
    stage.tell(person)
    stage.client.answers.pop().callback(person)
    await stage.shows(ASKED)


def test_the_password_of_a_registered_name_is_asked_for(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await wanted_name_is_registered(stage)
        stage.type("wr0ng\r")
        await stage.until(lambda: stage.client.did[-1] == ("login", {"user": "nora", "password": "wr0ng"}))
        stage.client.refuse("wrong username or password.", "wrong-password")
        await stage.shows("Error: wrong username or password.", ASKED)
        stage.type("r1ght\r")
        await stage.until(lambda: stage.client.did[-1] == ("login", {"user": "nora", "password": "r1ght"}))
        stage.client.answers.pop().callback(a.Ok())
        await stage.until(lambda: stage.screen.terminal.questions.current is None)
        assert "name" not in [do for do, _ in stage.client.did]
        for secret in ("wr0ng", "r1ght"):
            assert secret not in stage.glass.raw

    on_stage(tmp_path, scene, size=(100, 24))


def test_a_name_that_is_refused_on_the_way_in_is_asked_about_when_one_is_there(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online = False
        stage.tell(IN_USE)
        assert stage.client.did == []
        stage.client.online = True
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        await stage.until(lambda: ("whois", {"user": "nora"}) in stage.client.did)
        number = stage.client.did.index(("whois", {"user": "nora"}))
        stage.client.answers[number].callback(a.Person(name="nora", account=True))
        await stage.shows(ASKED)

    on_stage(tmp_path, scene, size=(100, 24))


def test_instead_of_its_password_another_name_may_be_chosen(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await wanted_name_is_registered(stage)
        assert f"Error: {IN_USE.text}" not in stage.rows
        stage.type("\r")
        await stage.shows("Your name (Enter: stay a guest):")
        stage.type("norma\r")
        await stage.until(lambda: stage.client.did[-1] == ("name", {"name": "norma"}))
        stage.client.answers.pop().callback(a.Ok())

    on_stage(tmp_path, scene, size=(100, 24))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("wrong-token", "this client's login has expired; log in with your password."),
        ("wrong-password", "wrong username or password."),
    ],
)
def test_a_login_that_the_server_accepts_no_more_is_followed_by_the_question_for_the_password(
    tmp_path: Path, code: str, text: str
) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online = False
        stage.tell(Denied("login", "yan", code, text))
        stage.client.online = True
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        await stage.shows("Password for yan (Enter: choose another name):")
        assert f"Error: {text}" in stage.rows
        stage.type("n3w-one\r")
        await stage.until(lambda: stage.client.did[-1] == ("login", {"user": "yan", "password": "n3w-one"}))
        stage.client.answers.pop().callback(a.Ok())
        await stage.until(lambda: stage.screen.terminal.questions.current is None)
        assert "name" not in [do for do, _ in stage.client.did]
        assert "n3w-one" not in stage.glass.raw

    on_stage(tmp_path, scene, size=(100, 24))


def test_a_typed_name_that_is_an_accounts_is_followed_by_the_question_for_its_password(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        await stage.shows("Your name (Enter: stay a guest):")
        for _ in range(2):
            stage.type("nora\r")
            await stage.until(lambda: stage.client.did[-1] == ("name", {"name": "nora"}))
            stage.client.refuse(IN_USE.text, IN_USE.code)
            await stage.until(lambda: stage.client.did[-1] == ("whois", {"user": "nora"}))
            stage.client.answers.pop().callback(a.Person(name="nora", account=True))
            await stage.shows(ASKED)
            stage.type("\r")
            await stage.shows("Your name (Enter: stay a guest):")
        assert "Error" not in "".join(stage.rows)

    on_stage(tmp_path, scene, size=(100, 24))


LOCKED = Denied("room", "r3", "locked", "r3 is locked; ask a moderator to invite you.")


def joins(stage: Stage) -> list[dict[str, Any]]:
    """Return the rooms that the screen has joined."""
    return [fields for do, fields in stage.client.did if do == "join"]


def test_after_the_login_the_room_that_was_refused_to_the_guest_is_tried_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.room = ""
        stage.tell(LOCKED, a.Account(name="guest-abcd", guest=True), a.Unchanged(name="guest-abcd", guest=True))
        assert joins(stage) == []
        stage.tell(a.Account(name="nora"))
        await stage.until(lambda: joins(stage) == [{"room": "r3"}])
        stage.client.refuse(LOCKED.text, LOCKED.code)
        await stage.shows(f"Error: {LOCKED.text}", "[-]")
        stage.tell(a.Account(name="nora"))
        assert joins(stage) == [{"room": "r3"}]

    on_stage(tmp_path, scene)


def test_after_the_login_no_other_room_is_left_for_the_one_that_was_refused(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(LOCKED, a.Account(name="nora"))
        stage.tell(LOCKED, a.Entered(room="attic", room_id="x", topic="", users=["me"], seq=1, complete=True))
        stage.client.room = ""
        stage.tell(a.Account(name="nora"))
        assert joins(stage) == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("line", ["/login nora,pass,word", "/register nora, pass,word", "/login nora pass,word"])
def test_a_pair_is_a_name_and_a_password(line: str) -> None:
    meant = read(line, ())
    assert isinstance(meant, CommandLine)
    assert meant.fields == {"user": "nora", "password": "pass,word"}
    assert secret_from(line) in (line.index("pass"), line.index(",") + 1)


def test_a_pair_without_a_password_leaves_it_to_be_asked_for() -> None:
    meant = read("/login nora,", ())
    assert isinstance(meant, CommandLine)
    assert (meant.fields, [arg.field for arg in meant.missing]) == ({"user": "nora"}, ["password"])
    assert secret_from("/login nora,") is None
    assert pair("nora") == ("nora", "")


@pytest.mark.parametrize("command", ["login", "register"])
def test_a_pair_answers_the_question_for_the_name(tmp_path: Path, command: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"good day\r/{command}\rnora,pass,word\r")
        await stage.until(lambda: stage.client.did == [(command, {"user": "nora", "password": "pass,word"})])
        assert (tmp_path / "history").read_text() == "good day\n"

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("guest", "line", "why"),
    [
        (True, "/password", "you are not logged in; use /login <user> <password>."),
        (True, "/account delete", "you are not logged in; use /login <user> <password>."),
        (False, "/login", "you are logged in as me; /logout first."),
        (False, "/register nora", "you are logged in as me; /logout first."),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(
    tmp_path: Path, guest: bool, line: str, why: str
) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.guest = guest
        stage.type(f"{line}\r")
        await stage.shows(f"Error: {why}", "[lobby]")
        assert stage.screen.terminal.questions.current is None
        assert stage.client.did == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("command", ["login", "register"])
@pytest.mark.parametrize("word", ["/who", "/Login", "/quit", "/cancel"])
def test_at_the_question_for_a_name_a_command_is_refused(tmp_path: Path, command: str, word: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"/{command}\r{word} nora,secretpw2\r")
        why = f"Error: {word.lower()} is a command, and you are being asked; answer first, or type /cancel."
        await stage.shows(why, "Name:")
        stage.type("//who,secretpw2\r")
        await stage.until(lambda: stage.client.did == [(command, {"user": "/who", "password": "secretpw2"})])
        assert "secretpw2" not in "".join(stage.rows)

    on_stage(tmp_path, scene, size=(100, 24))


def test_the_question_for_a_name_is_cancelled_by_its_command(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login\r/cancel\r")
        await stage.shows("-- cancelled.", "[lobby]")
        assert stage.client.did == []

    on_stage(tmp_path, scene)


def test_cancel_answers_no_question_for_a_password_and_that_is_said_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login nora\r")
        await stage.shows("-- Enter alone or /cancel cancels.", "Password:")
        stage.type("/cancel\r")
        await stage.shows("-- cancelled.", "[lobby]")
        stage.type("/login nora\r\r")
        await stage.shows("-- Enter alone or /cancel cancels.", "-- cancelled.", "-- cancelled.", "[lobby]")
        assert stage.client.did == []

    on_stage(tmp_path, scene)


def test_a_paste_is_not_dropped_by_enter_and_takes_a_letter_and_enter_as_other_questions_do(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("\x1b[200~five\nsix\x1b[201~")
        await stage.shows("Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?")
        stage.type("xx\r")
        await stage.shows(
            "-- type o, l, e or d; Ctrl-C drops them.",
            "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?",
        )
        stage.type("O\r")
        await stage.until(lambda: stage.client.said == ["five\nsix"])
        stage.type("\x1b[200~seven\neight\x1b[201~\r")  # Enter alone is the first choice
        await stage.until(lambda: stage.client.said == ["five\nsix", "seven\neight"])
        assert stage.screen.terminal.questions.current is None

    on_stage(tmp_path, scene)


PASTE = "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?"
MEANT = "A line looks like a password. Say them to everybody here? [y]es, [n]o:"


@pytest.mark.parametrize("first", ["/login x,secretpw2", "login x secretpw2", "my password is secretpw2"])
def test_a_pasted_password_is_not_shown_and_asked_about_before_it_is_said(tmp_path: Path, first: str) -> None:
    async def scene(stage: Stage) -> None:
        pasted = f"\x1b[200~{first}\nsix\nseven\x1b[201~"
        for how in "olol":
            stage.type(f"{pasted}")
            await stage.shows("-- you pasted 3 lines.", PASTE)
            stage.type(f"{how}\r")
            await stage.shows(MEANT)
            stage.type("\r" if how == "o" else "n\r")
            await stage.until(lambda: stage.screen.terminal.questions.current is None)
        assert "secretpw2" not in stage.glass.raw
        assert stage.client.said == []
        await stage.shows("-- dropped; nothing was sent.", "[lobby]")
        stage.type(f"{pasted}o\ryes\r")
        await stage.until(lambda: stage.client.said == [f"{first}\nsix\nseven"])

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("text", ["five\nlogin x,secretpw2", "my password is\nsecretpw2"])
def test_a_password_in_any_pasted_line_or_over_two_of_them_is_asked_about(tmp_path: Path, text: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"\x1b[200~{text}\x1b[201~l\r")
        await stage.shows(MEANT)
        stage.type("n\r")
        await stage.shows("-- dropped; nothing was sent.", "[lobby]")
        assert stage.client.said == []
        assert "secretpw2" not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_outside_a_room_a_password_is_hidden_after_a_bare_word_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.room = ""
        stage.type("login nora hush")
        await stage.shows("[-] login nora ****")
        stage.type("\r")
        await stage.until(lambda: stage.client.did == [("login", {"user": "nora", "password": "hush"})])
        stage.type("Register nora,hush")
        await stage.shows("[-] Register nora,****")
        assert "hush" not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_a_pair_is_asked_about_for_a_minute_after_a_login_that_failed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("red,green\r/login nora wr0ng\r")
        await stage.until(lambda: stage.client.did[-1:] == [("login", {"user": "nora", "password": "wr0ng"})])
        stage.client.refuse("wrong username or password.", "wrong-password")
        await stage.shows("Error: wrong username or password.")
        stage.type("nora,r1ght\r\ryes, of course\r")
        await stage.shows("-- nothing was said; /login is the command, and asks for what you leave out.")
        await stage.until(lambda: stage.client.said == ["red,green", "yes, of course"])
        stage.clock.advance(60)
        stage.type("blue,white\r")
        await stage.until(lambda: stage.client.said[-1] == "blue,white")

    on_stage(tmp_path, scene)
