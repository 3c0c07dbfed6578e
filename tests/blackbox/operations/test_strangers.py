"""Who comes by mistake: other protocols at the one port."""

from __future__ import annotations

import http.client
import re
from contextlib import closing
from pathlib import Path

from blackbox.daemon import DEADLINE, Daemon


def test_a_browser_gets_a_complete_answer(daemon: Daemon) -> None:
    """One that says what this is, in so many bytes as announced."""
    for method, sent in (("GET", None), ("POST", b"x=1")):
        with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=DEADLINE)) as browser:
            browser.request(method, "/", body=sent)
            answer = browser.getresponse()
            body = answer.read()
        assert answer.status in range(400, 600)
        assert answer.will_close
        assert b"chat server" in body
        assert len(body) == int(answer.headers["Content-Length"])


def test_a_browsers_answer_ends_with_its_last_byte(daemon: Daemon) -> None:
    """And the connection with it."""
    browser = daemon.connect()
    browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    head, _, body = browser.rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    assert f"Content-Length: {len(body)}".encode() in head


def test_who_speaks_irc_gets_an_error(daemon: Daemon) -> None:
    """In words of that protocol, and is closed."""
    for first in (b"NICK al\r\nUSER al 0 * :al\r\n", b"CAP LS 302\r\n", b"PASS secret\r\n"):
        stranger = daemon.connect()
        stranger.send(first)
        assert re.fullmatch(r"ERROR :.+", stranger.line())
        stranger.eof()


def test_a_stranger_who_says_no_more_is_answered_all_the_same(daemon: Daemon) -> None:
    """As with ``printf … | nc -N``, which closes its half at once."""
    for first in (b"GET / HTTP/1.0\r\n\r\n", b"NICK al\r\n"):
        stranger = daemon.connect()
        stranger.send(first)
        stranger.half_close()
        assert stranger.rest() != b"", first


def test_who_finds_the_chat_full_and_says_no_more_is_told_all_the_same(tmp_path: Path) -> None:
    """As with ``printf … | nc -N``; else nobody would know why nothing comes back."""
    with Daemon(tmp_path, "--max-users", "1") as daemon:
        daemon.person("al")
        bob = daemon.connect()
        bob.say("/name bob")
        bob.half_close()
        bob.expect("Error: the chat is full (max users 1).")
        bob.eof()


def test_strangers_do_not_disturb_the_chat(daemon: Daemon) -> None:
    """They take no seat and are seen by nobody."""
    al = daemon.person("al", "lobby")
    for first in (b"\x16no TLS at all", b"GET / HTTP/1.0\r\n\r\n", b"NICK bob\r\n"):
        stranger = daemon.connect()
        stranger.send(first)
        stranger.rest()
    al.ask("/who", "Users online (1):", "  al  in lobby")
    al.nothing_more()
