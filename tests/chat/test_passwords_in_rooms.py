"""Nobody says a password to a room by accident: ``login`` alone asks a guest there, as it does outside."""

from __future__ import annotations

import pytest
from harness import Client, World

AGAIN = "Try again; an empty line or /cancel ends the question."
OLD, NEW = "Your password, as it is now:", "The new password:"


def member(world: World, name: str, password: str) -> Client:
    """Return somebody in the room den, who has just registered there by answering the question."""
    client = world.person(name, "den")
    client.say("/register", f"{name},{password}")
    client.lines()
    return client


def test_a_guest_registers_and_logs_in_from_a_room_and_the_room_hears_nothing_of_it(world: World) -> None:
    anna, bob = world.person("anna", "den"), world.person("bob", "den")
    anna.lines()
    anna.say("register")
    assert anna.lines() == ["user,password:"]
    anna.say("anna,a-good-secret")
    assert anna.lines()[0] == "You are logged in as anna."
    anna.say("login")
    assert anna.lines() == ["anna: login"], "who is logged in talks about it"
    anna.say("/logout")
    anna.lines()
    bob.lines()
    anna.say("Login")
    assert anna.lines() == ["user,password:"]
    anna.say("anna,/a-good-secret")
    assert anna.lines() == ["Error: wrong username or password.", AGAIN, "user,password:"]
    anna.say("")
    assert anna.lines() == ["Cancelled."]
    assert not [line for line in bob.lines() if "secret" in line or "login" in line.lower()]
    anna.say("/say login")
    assert [line for line in bob.lines() if line.endswith(": login")]


def test_an_operator_who_wants_tls_for_passwords_is_obeyed_in_rooms_too() -> None:
    world = World(require_tls="login")
    anna = world.person("anna", "den")
    anna.say("login")
    (refusal,) = anna.lines()
    assert refusal.startswith("Error: this server requires TLS for logins")
    world.close()


def test_passwords_with_blanks_are_changed_by_answering_and_log_in_afterwards(world: World) -> None:
    sven = member(world, "sven", "two words")
    bob = world.person("bob", "den")
    sven.say("/password", "two words", "now  three words")
    assert "Error" not in "".join(sven.lines())
    sven.say("/logout", "/login sven", "now  three words")
    assert "You are logged in as sven." in sven.lines()
    sven.say("/logout", "login", "sven,now  three words")
    assert "You are logged in as sven." in sven.lines()
    sven.say("/account delete", "now  three words")
    assert "Error" not in "".join(sven.lines())
    assert not [line for line in bob.lines() if "words" in line]


def test_a_person_in_a_room_is_asked_again_until_the_passwords_are_right(world: World) -> None:
    mona = member(world, "mona", "first secret")
    bob = world.person("bob", "den")
    mona.say("/password")
    assert mona.lines()[-1:] == [OLD]
    mona.say("wrong secret", "second secret")
    assert mona.lines() == [NEW, "Error: wrong username or password.", AGAIN, OLD]
    mona.say("first secret", "abc")
    assert mona.lines() == [NEW, "Error: a password has at least 6 characters.", AGAIN, OLD]
    mona.say("first secret", "second secret", "hello")
    assert "mona: hello" in mona.lines()
    assert [line for line in bob.lines() if "mona" in line] == ["mona: hello"]


@pytest.mark.parametrize("end", ["", "/cancel"])
@pytest.mark.parametrize(
    ("command", "question", "answer", "error"),
    [
        ("login", "user,password:", "olaf", "expected user,password."),
        ("/login", "user,password:", "olaf,no secret", "wrong username or password."),
        ("/login olaf", "Password:", "no secret", "wrong username or password."),
        ("/register", "user,password:", "olaf,abc", "a password has at least 6 characters."),
        ("/register olaf", "Password:", "abc", "a password has at least 6 characters."),
    ],
)
def test_a_failed_answer_is_asked_for_again_in_a_room(
    world: World, command: str, question: str, answer: str, error: str, end: str
) -> None:
    gail, bob = world.person("gail", "den"), world.person("bob", "den")
    gail.lines(), bob.lines()
    gail.say(command, answer, answer, end, "hello")
    again = [f"Error: {error}", AGAIN, question]
    assert gail.lines() == [question, *again, *again, "Cancelled.", "gail: hello"]
    assert bob.lines() == ["gail: hello"]


def test_outside_a_room_an_error_ends_the_question(world: World) -> None:
    gail = world.person("gail")
    gail.lines()
    gail.say("login", "olaf,no secret", "good morning")
    assert gail.lines() == [
        "user,password:",
        "Error: wrong username or password.",
        "Error: you are not in a room; join one with /join <room>.",
    ]


@pytest.mark.parametrize("command", ["/password", "/password abc", "/account delete", "/add-account zoe", "/announce"])
def test_whoever_may_not_give_a_command_is_not_asked_for_its_arguments(world: World, command: str) -> None:
    gail = world.person("gail", "den")
    gail.lines()
    gail.say(command)
    (refusal,) = gail.lines()
    assert refusal in (
        "Error: you are not logged in; use /login <user> <password>.",
        "Error: only an operator can do that.",
    )


@pytest.mark.parametrize("command", ["/login", "/register", "/login sven"])
def test_a_member_is_not_asked_for_a_password_to_log_in_again(world: World, command: str) -> None:
    vera = member(world, "vera", "a secret of vera")
    vera.say(command, "hello")
    assert vera.lines() == ["Error: you are logged in as vera; /logout first.", "vera: hello"]


def test_an_answer_that_is_too_long_leaves_the_question_open(world: World) -> None:
    gail, bob = world.person("gail", "den"), world.person("bob", "den")
    gail.lines(), bob.lines()
    gail.say("login", "olaf," + "x" * 9000, "olaf,no secret")
    assert "Error: wrong username or password." in gail.lines()
    assert bob.lines() == []


def test_a_telnet_hides_every_password_that_is_asked_for_again(world: World) -> None:
    hidden, shown = b"\xff\xfb\x01", b"\xff\xfc\x01"  # IAC WILL ECHO, IAC WONT ECHO
    gail = world.person("gail", "den")
    gail.send(b"\xff\xfb\x18")  # something that only a telnet says
    gail.take()
    gail.say("/login olaf")
    assert gail.take().endswith(b"Password:\r\n" + hidden)
    gail.say("x" * 9000)
    assert shown not in gail.take(), "the question is still open"
    gail.say("no secret")
    heard = gail.take()
    assert heard.startswith(shown)
    assert heard.endswith(b"Password:\r\n" + hidden)
    gail.say("/cancel")
    assert shown in gail.take()
