"""Accounts, seats and mail on the real daemon, by raw sockets, word for word; across a restart and across kill -9."""

from __future__ import annotations

import os
import re
import sqlite3
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, Peer, needs, run_twistd
from blackbox.test_telnet_and_nc import Terminal

FULL = "Error: the chat is full (max users 4)."
KEPT = "Seats are kept for some: if one is yours, log in now with /login <user> <password>."
SECRETS = ("s3cret-of-alice", "s3cret-of-bob", "s3cret-of-carol", "wr0ng-one", "n3w-one-here")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def accounts(folder: Path) -> Path:
    """Return a file with three accounts."""
    path = folder / "accounts"
    path.write_text("".join(f"{name}:s3cret-of-{name}\n" for name in ("alice", "bob", "carol")))
    return path


def guest(daemon: Daemon) -> Peer:
    """Return a guest who has been greeted, without having to wait for it."""
    peer = daemon.connect()
    peer.say("/hello")
    peer.greeted()
    peer.expect(f"Hello, {peer.name}!")
    return peer


def owner(daemon: Daemon, name: str, *online: str) -> Peer:
    """Return who has logged in to an account; ``online`` is who then is."""
    peer = guest(daemon)
    peer.ask(f"/login {name} s3cret-of-{name}", f"You are logged in as {name}.", online_line(*online))
    peer.name = name
    return peer


def registered(daemon: Daemon, name: str, *online: str) -> Peer:
    """Return who has made an account."""
    peer = guest(daemon)
    peer.ask(f"/register {name} s3cret-of-{name}", f"You are logged in as {name}.", online_line(*online))
    peer.name = name
    return peer


def online_line(*names: str) -> str:
    """Return what is said at login."""
    return f"Users online ({len(names)}): {', '.join(names)}"


def test_a_two_line_login_word_for_word(daemon: Daemon) -> None:
    bob = daemon.person("bob")
    registered(daemon, "alice", "alice", "bob").close()
    bob.expect("alice has entered the chat.", "alice has left the chat.")
    alice = daemon.connect()
    alice.say("login")
    alice.greeted()
    alice.expect("user,password:")
    alice.ask("alice,wr0ng-one", "Error: wrong username or password.")
    alice.ask("login", "user,password:")
    alice.ask("nobody,wr0ng-one", "Error: wrong username or password.")
    alice.ask("login", "user,password:")
    alice.ask("alice", "Error: expected user,password.")
    alice.ask("login", "user,password:")
    alice.ask("alice,s3cret-of-alice", "You are logged in as alice.", "Users online (2): alice, bob")
    bob.expect("alice has entered the chat.")
    second = guest(daemon)
    second.ask(
        "/login alice s3cret-of-alice",
        "Error: alice is already logged in.",
        "Type /takeover to end that session and log in here.",
    )
    second.ask("/name alice", "Error: username is already used; choose another with /name <name>.")
    second.ask("/register alice another", "Error: username is already used; choose another with /name <name>.")
    alice.say("logout")
    alice.expect("You have logged out of alice.")
    assert re.fullmatch(r"You are now guest-\w{4}\.", alice.line())
    bob.expect("alice has left the chat.")
    alice.ask("/logout", "Error: you are not logged in; use /login <user> <password>.")


def test_reserved_seats_with_four_users_and_three_accounts(tmp_path: Path) -> None:
    file = accounts(tmp_path)
    with Daemon(tmp_path, "--max-users", "4", "--accounts", str(file)) as daemon:
        one = guest(daemon)
        late = daemon.connect()
        late.say("/join lobby")
        late.expect(FULL, KEPT, FULL)
        late.eof()
        alice = daemon.connect()
        alice.say("login")
        alice.expect(FULL, KEPT, "user,password:")
        alice.ask("alice,s3cret-of-alice", "You are logged in as alice.", online_line("alice", one.name))
        one.expect("alice has entered the chat.")
        for name in ("bob", "carol"):
            peer = daemon.connect()
            peer.say(f"/login {name} s3cret-of-{name}")
            peer.expect(FULL, KEPT, f"You are logged in as {name}.")
            one.expect(f"{name} has entered the chat.")
        nobody = daemon.connect()
        nobody.say("/login alice s3cret-of-alice")
        nobody.expect(FULL)
        nobody.eof()
        one.close()
        alice.expect("bob has entered the chat.", "carol has entered the chat.")
        daemon.log.wait_for(f"{one.name} disconnected")
        guest(daemon)
    file.unlink()
    with Daemon(tmp_path, "--max-users", "3", "--accounts", str(file)) as daemon:
        daemon.log.wait_for("accounts .* is gone; its accounts are kept in the data folder")
        peer = daemon.connect()
        peer.say("/login bob s3cret-of-bob")
        peer.expect(
            "Error: the chat is full (max users 3).", KEPT, "You are logged in as bob.", "Users online (1): bob"
        )


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("a1:x\nb2:x\nc3:x\n", ["--max-users", "2"], "--max-users 2: 3 accounts have a seat reserved; give at least 3"),
        (None, [], "there is no such file"),
        ("alice\n", [], "line 1: it is not name:password"),
        (
            "alice:$2b$secret\n",
            [],
            "line 1: a password that begins with $ must be an Argon2id hash, and this is not one",
        ),
    ],
)
def test_a_file_of_accounts_that_cannot_be_is_said_at_the_start(
    tmp_path: Path, text: str | None, options: list[str], why: str
) -> None:
    file = tmp_path / "accounts"
    if text is not None:
        file.write_text(text)
    ended = run_twistd(
        tmp_path, "-n", "--pidfile=", "chatroom", "--port", "0", "--data", "data", "--accounts", str(file), *options
    )
    assert ended.returncode != 0
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "secret" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_each_waiting_message_comes_exactly_once_across_the_end_of_the_daemon(tmp_path: Path, how: str) -> None:
    said = [f"message {i}" for i in range(40)]
    with Daemon(tmp_path, "--no-announce") as daemon:
        registered(daemon, "alice", "alice").close()
        daemon.log.wait_for("alice disconnected")
        bob = registered(daemon, "bob", "bob")
        for text in said[:20]:
            bob.ask(f"/msg alice {text}", "alice is offline; the message will be delivered when alice returns.")
        getattr(daemon, how)()
    with Daemon(tmp_path, "--no-announce") as daemon:
        bob = owner(daemon, "bob", "bob")
        for text in said[20:]:
            bob.ask(f"/msg alice {text}", "alice is offline; the message will be delivered when alice returns.")
        alice = owner(daemon, "alice", "alice", "bob")
        alice.expect("40 messages while you were away:")
        alice.expect_dated(*(f"bob (private): {text}" for text in said))
        alice.nothing_more()
        bob.ask("/msg alice now", "To alice (private): now")
        alice.expect("bob (private): now")
        getattr(daemon, how)()
    with Daemon(tmp_path, "--no-announce") as daemon:
        alice = owner(daemon, "alice", "alice")
        alice.nothing_more()
        alice.say("/history 41")
        alice.expect_dated(*(f"bob (private): {text}" for text in (*said, "now")))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_program_is_given_again_what_it_has_not_acknowledged_across_the_end_of_the_daemon(
    tmp_path: Path, how: str
) -> None:
    with Daemon(tmp_path, "--no-announce") as daemon:
        registered(daemon, "alice", "alice").close()
        daemon.log.wait_for("alice disconnected")
        bob = daemon.person("bob")
        for text in ("one", "two"):
            bob.ask(f"/msg alice {text}", "alice is offline; the message will be delivered when alice returns.")
        bot = daemon.connect()
        bot.record(do="hello", version=1)
        bot.event(event="welcome")
        bot.record(do="login", user="alice", password="s3cret-of-alice")
        bot.event(event="account", name="alice")
        first = bot.event(event="private", text="one", late=True)
        bot.event(event="private", text="two", late=True)
        bot.record(do="ack", seq=first["seq"], ref=1)
        bot.event(event="ok", re=1)
        bot.record(do="history", ref=2)  # answered by the log, after the acknowledgement was put there
        bot.event(event="history", re=2)
        bot.record(do="say", text="", ref=3)
        bot.event(event="error", re=3)
        bob.ask("/msg alice three", "To alice (private): three")  # one log, one order: the mark is stored now
        bot.event(event="private", text="three")
        getattr(daemon, how)()
    with Daemon(tmp_path, "--no-announce") as daemon:
        alice = owner(daemon, "alice", "alice")
        alice.expect("2 messages while you were away:")
        alice.expect_dated("bob (private): two", "bob (private): three")


def test_mail_for_a_guests_name_survives_kill_and_is_given_once(tmp_path: Path) -> None:
    waits = "zed is offline and not registered; whoever takes that name next will read this."
    with Daemon(tmp_path, "--no-announce") as daemon:
        daemon.person("zed").close()
        daemon.log.wait_for("zed disconnected")
        daemon.person("bob").ask("/msg zed hello", waits)
        daemon.kill()
    with Daemon(tmp_path, "--no-announce") as daemon:
        zed = daemon.person("zed")
        zed.expect("1 message while you were away:")
        zed.expect_dated("bob (private): hello")
        zed.close()
        daemon.log.wait_for("zed disconnected")
        daemon.person("zed").nothing_more()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_guests_program_is_the_same_guest_across_the_end_of_the_daemon(tmp_path: Path, how: str) -> None:
    with Daemon(tmp_path, "--log-level", "debug") as daemon:
        bot, bob = daemon.connect(), daemon.person("bob")
        bot.record(do="hello", version=1, name="bot")
        secret = bot.event(event="welcome", you="bot")["resume"]
        bot.record(do="create", room="den", ref=1)
        bot.event(event="entered", room="den")
        bob.ask("/msg bot hello", "To bot (private): hello")
        bot.event(event="private", text="hello")
        bot.record(do="message", user="bob", text="hi", id="mine", ref=2)
        bot.event(event="sent", re=2)
        getattr(daemon, how)()
    logs = daemon.log.text
    with Daemon(tmp_path, "--log-level", "debug") as daemon:
        bot, bob = daemon.connect(), daemon.person("bob")
        bot.record(do="hello", version=1, name="bot", resume=secret)
        bot.event(event="welcome", you="bot", resume=secret)
        bot.event(event="private", text="hello", late=True)
        bot.record(do="message", user="bob", text="hi", id="mine", ref=2)
        bot.event(event="sent", re=2)
        bob.nothing_more()
        bot.record(do="join", room="den", ref=3)
        bot.event(event="entered", room="den")
        bot.record(do="topic", text="mine", ref=4)
        bot.event(event="topic", text="mine")
    signature = secret.partition(".")[2]
    assert signature not in logs + daemon.log.text
    assert signature.encode() not in (daemon.data / "chat.db").read_bytes()


def test_no_password_is_in_the_log_or_in_clear_in_the_database(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--accounts", str(accounts(tmp_path)), "--log-level", "debug") as daemon:
        alice = owner(daemon, "alice", "alice")
        alice.ask("/password wr0ng-one n3w-one-here", "Error: wrong username or password.")
        alice.ask("/password s3cret-of-alice n3w-one-here", "Your password has been changed.")
        alice.ask("/account delete wr0ng-one", "Error: wrong username or password.")
        alice.ask("/logni alice s3cret-of-alice", "Error: unknown command /logni; type /help. Did you mean /login?")
        guest(daemon).ask("/login bob wr0ng-one", "Error: wrong username or password.")
    assert not [secret for secret in SECRETS if secret in daemon.log.text]
    for path in daemon.data.iterdir():
        if path.is_file():
            held = path.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in held], path.name
    db = sqlite3.connect(daemon.data / "chat.db")
    records = [bytes(value) for (value,) in db.execute("SELECT value FROM record WHERE bucket='account'")]
    db.close()
    assert len(records) == 3
    assert all(b"$argon2id$v=19$m=19456,t=2,p=1$" in record for record in records)


def test_auth_lets_a_password_file_decide(tmp_path: Path) -> None:
    file = tmp_path / "passwd"
    file.write_text("carol:th3irs\n")
    with Daemon(tmp_path, "--auth", f"file:{file}") as daemon:
        peer = guest(daemon)
        peer.ask("/login carol wr0ng-one", "Error: wrong username or password.")
        peer.ask("/login carol th3irs", "You are logged in as carol.", "Users online (1): carol")
        assert "th3irs" not in daemon.log.text


def wait_until_hidden(telnet: Terminal) -> None:
    """Return when telnet has told its terminal to show nothing of what is typed, as the server asks it."""
    deadline = time.monotonic() + DEADLINE
    while termios.tcgetattr(telnet._master)[3] & termios.ECHO:
        assert time.monotonic() < deadline, "what is typed is shown"
        os.sched_yield()


def test_telnet_hides_what_is_typed_at_the_password_question_and_shows_it_again(daemon: Daemon) -> None:
    registered(daemon, "alice", "alice").close()
    daemon.log.wait_for("alice disconnected")
    telnet = Terminal(needs("telnet"), "127.0.0.1", str(daemon.port))
    try:
        telnet.see("/help explains the rest.\r\n")
        telnet.type("/login alice\n")
        telnet.see("Password:\r\n")
        wait_until_hidden(telnet)
        telnet.type("s3cret-of-alice\n")
        shown = telnet.see("You are logged in as alice.\r\n")
        assert "s3cret" not in shown, shown
        assert shown.startswith("\r\n"), shown
        telnet.type("/hello\n")
        shown = telnet.see("Hello, alice!\r\n")
        assert "/hello\r\n" in shown, shown
    finally:
        telnet.close()
