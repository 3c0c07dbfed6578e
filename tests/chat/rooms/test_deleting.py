"""Messages that are deleted: whose, by whom, and that nothing of them is found, shown or given again."""

from __future__ import annotations

from harness import World
from order import ask, found, guest, history, say


def test_ones_last_message_is_deleted_then_the_one_before(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    seqs = say(bob, "red one", "red two")
    say(alice, "red three")
    for expected in (seqs[1], seqs[0]):
        assert ask(bob, "delete") == "ok"
        (event,) = [record for record in alice.records() if record["event"] == "deleted"]
        assert (event["message"], event["user"], event["by"]) == (expected, "bob", "bob")
    assert ask(bob, "delete") == "no-message"
    assert history(bob) == ["", "", "red three"]
    assert found(bob, "red") == ["red three"]


def test_a_message_is_deleted_by_its_seq_by_its_author_and_by_moderators_alone(world: World) -> None:
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), guest(world, "carol", "den")
    one, _, three = say(bob, "one", "two", "three")
    assert ask(carol, "delete", seq=one) == "not-yours"
    assert ask(bob, "delete", seq=one) == "ok"
    assert ask(alice, "delete", seq=three) == "ok"
    assert history(carol) == ["", "two", ""]
    assert ask(alice, "delete", seq=three) == "no-message"
    for seq in (0, three + 1000, 2**53):
        assert ask(alice, "delete", seq=seq) == "no-message"
    assert ask(carol, "delete", user="bob") == "not-yours"
    assert ask(alice, "delete", user="BOB") == "ok"
    assert history(carol) == ["", "", ""]


def test_what_is_no_message_cannot_be_deleted(world: World) -> None:
    alice = guest(world, "alice", "den")
    bob = guest(world, "bob")
    bob.record(do="join", room="den")
    (joined,) = [record["seq"] for record in alice.records() if record["event"] == "joined"]
    assert ask(alice, "delete", seq=joined) == "no-message"


def test_a_message_of_another_room_cannot_be_deleted(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "lair")
    (seq,) = say(bob, "mine")
    assert ask(alice, "delete", seq=seq) == "no-message"
    assert ask(alice, "delete", user="bob") == "no-message"
    assert history(bob) == ["mine"]


def test_a_private_message_cannot_be_deleted(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="message", user="alice", text="psst")
    (seq,) = [record["seq"] for record in alice.records() if record["event"] == "private"]
    assert ask(alice, "delete", seq=seq) == "no-message"


def test_people_see_that_a_message_was_deleted(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    bob.say("rude", "/me is ruder")
    alice.say("/delete bob", "/delete bob")
    alice.take()
    alice.say("/history")
    assert [line.partition("] ")[2] for line in alice.lines()] == ["bob: (deleted)", "* bob (deleted)"]
    carol = world.person("carol")
    carol.say("/join den")
    assert "rude" not in " ".join(carol.lines())


def test_a_deletion_counts_back(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    bob.say("one", "two", "three")
    alice.say("four", "/delete -2 bob", "/delete -2 bob", "/delete -2 bob")
    assert "no such message" in alice.lines()[-1].lower()
    bob.say("/delete -1")
    bob.take()
    bob.say("/history")
    lines = [line.partition("] ")[2] for line in bob.lines()]
    assert lines == ["bob: (deleted)", "bob: (deleted)", "bob: (deleted)", "alice: four"]


def test_a_program_that_catches_up_is_given_no_deleted_text(world: World) -> None:
    alice = guest(world, "alice", "den")
    say(alice, "secret")
    assert ask(alice, "delete") == "ok"
    bot = guest(world, "bot")
    bot.record(do="join", room="den", after=0)
    records = bot.records()
    assert "secret" not in str(records)
    assert [record["event"] for record in records if record["event"] in ("said", "deleted")] == ["said", "deleted"]


def test_a_message_that_is_said_again_after_it_was_deleted_stays_deleted(world: World) -> None:
    """Its author, who may not know that it arrived, hears that it did; nobody hears its text again."""
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="say", text="rude", id="own-1")
    bob.record(do="say", text="rude", id="own-1")
    assert history(alice) == ["rude"]
    assert ask(alice, "delete", user="bob") == "ok"
    bob.records()
    bob.record(do="say", text="rude", id="own-1", ref=1)
    (echo,) = bob.records()
    assert (echo["event"], echo["id"], echo["text"]) == ("said", "own-1", "")
    assert history(alice) == [""]
    assert "rude" not in str(alice.records())


def test_a_message_of_somebody_who_has_gone_is_deleted_by_name(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    say(bob, "rude")
    bob.drop()
    assert ask(alice, "delete", user="bob") == "ok"
    assert history(alice) == [""]
