"""How files may be called, how large they may be, and how much room one has."""

from __future__ import annotations

from contextlib import closing

import pytest
from chat.files.about import refused
from harness import World
from sharing import begin, hear, offer, only, share

from chatroom.model.shared_files import safe_name, spell_size


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("../..", "file"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b[31mc\x00\u202ed", "abcd"),
        ("  spaced out.txt  ", "spaced out.txt"),
        ("x" * 300, "x" * 100),
        ("", "file"),
        ("dir/", "file"),
        ("\xe9t\xe9 \u2603.txt", "\xe9t\xe9 \u2603.txt"),
        ("\u0646\u0627\u0645\u0647\u200c\u0647\u0627.odt", "\u0646\u0627\u0645\u0647\u200c\u0647\u0627.odt"),  # Persian
        ("\u0d9a\u0dca\u200d\u0dbb\u0dd2\u0dba\u0dcf.pdf", "\u0d9a\u0dca\u200d\u0dbb\u0dd2\u0dba\u0dcf.pdf"),  # Sinhala
        ("\U0001f469\u200d\U0001f680.png", "\U0001f469\u200d\U0001f680.png"),
        ("\u200d\u200c.\u200dprofile\u200c", "profile"),
        ("\u200b\u2060\u200d", "file"),
        ("\u2800\ufe0f.txt", "file.txt"),
        ("minutes " + "of the meeting " * 20 + ".docx", ("minutes " + "of the meeting " * 20)[:95] + ".docx"),
        ("backup-" * 30 + ".tar.gz", ("backup-" * 30)[:93] + ".tar.gz"),
        ("\u0628\u200c" * 80 + ".mp3", ("\u0628\u200c" * 80)[:95] + ".mp3"),
        ("e" + "." + "y" * 200, "e." + "y" * 98),
        ("x" * 98 + " - draft.odt", "x" * 96 + ".odt"),
        ("re\u0301sume\u0301.pdf", "r\xe9sum\xe9.pdf"),
    ],
)
def test_names_are_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_name_is_cleaned_before_anybody_sees_it(world: World) -> None:
    assert share(world.program("alice", "lobby"), name="../../\x1b]0;x\x07.ssh/.keys")["name"] == "keys"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1500, "1.5 kB"),
        (12345, "12 kB"),
        (999_999, "1 MB"),
        (2**24, "17 MB"),
    ],
)
def test_sizes_are_said_in_words(size: int, words: str) -> None:
    assert spell_size(size) == words


def test_too_big_is_refused_before_a_byte_is_sent() -> None:
    with closing(World(max_file=1000)) as world:
        alice = world.program("alice", "lobby")
        offer(alice, b"x" * 1001, ref=5)
        error = only(alice, event="error", code="file-too-big", re=5)
        assert error["text"] == "notes.txt is 1001 B, but a file here may be at most 1000 B; make it smaller."
        offer(alice, b"")
        refused(alice, "empty-file")
        share(alice, b"x" * 1000)


def test_nobody_has_more_than_a_tenth_but_everybody_one_file() -> None:
    with closing(World(store=1000)) as world:
        alice, bob = world.program("alice", "lobby"), world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        share(alice, b"a" * 900)
        offer(alice, b"b")
        refused(alice, "too-many-files")
        hear(bob)
        offer(bob, b"c" * 101)
        refused(bob, "store-full")
        share(bob, b"c" * 99)
        hear(alice)
        alice.record(do="delete")
        share(alice, b"b" * 500)


def test_a_guest_with_a_new_name_has_the_same_part_of_it() -> None:
    with closing(World(store=1000)) as world:
        alice = world.program("alice", "lobby")
        share(alice, b"a" * 90)
        alice.record(do="name", name="zoe")
        hear(alice)
        offer(alice, b"b" * 90)
        refused(alice, "too-many-files")


def test_zero_is_no_limit() -> None:
    with closing(World(store=0, max_file=0)) as world:
        alice = world.program("alice", "lobby")
        share(alice, b"a")
        alice.record(do="share", name="huge", size=2**50, sha256="0" * 64)
        only(alice, event="upload")


def test_four_at_a_time(world: World) -> None:
    alice = world.program("alice", "lobby")
    files = [begin(alice, bytes([i])) for i in range(4)]
    offer(alice, b"x")
    assert (
        refused(alice, "too-many-transfers")
        == "you are already sending or fetching 4 files; wait for one to finish, or cancel it."
    )
    alice.record(do="cancel", file=files[2], ref=1)
    only(alice, event="ok", re=1)
    begin(alice, b"x")
