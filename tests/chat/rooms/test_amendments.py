"""Edits, reactions and answers to one message: who may, which message is meant, and who is shown what."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Client, World
from order import ask, found, guest, history, owner, restarted, say

THUMB, HEART = "\U0001f44d", "\u2764"


def heard(client: Client, *kinds: str) -> list[dict[str, Any]]:
    """Return the events of these kinds that have come; the others are forgotten."""
    return [record for record in client.records() if record["event"] in kinds]


def code(client: Client, **record: Any) -> str:
    """Return the code of the refusal that a record meets; ``ok`` if it meets none."""
    client.records()
    client.record(**record)
    return next((answer["code"] for answer in client.records() if answer["event"] == "error"), "ok")


def messages(client: Client) -> list[dict[str, Any]]:
    """Return the room's messages as they are now."""
    client.records()
    client.record(do="history", messages=100)
    events: list[dict[str, Any]] = client.records()[-1]["events"]
    return events


def recalled(client: Client) -> list[str]:
    """Return the lines of a person's ``/history``, without the times."""
    client.lines()
    client.say("/history")
    return [line.partition("] ")[2] for line in client.lines()]


# ---- edits ------------------------------------------------------------------------------------------------------


def test_a_message_is_corrected_for_everybody(world: World) -> None:
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), world.person("carol", "den")
    (seq,) = say(bob, "helo apple")
    carol.lines()
    bob.record(do="edit", seq=seq, text="hello pear", id="e1", ref=1)
    own, answer = bob.records()
    assert answer == {"event": "ok", "re": 1}
    for event in (own, *heard(alice, "edited")):
        assert (event["room"], event["message"], event["text"], event["by"]) == ("den", seq, "hello pear", "bob")
        assert (event["id"], event["seq"] > seq, event["at"]) == ("e1", True, world.chat.now())
    assert carol.lines() == ["bob corrected: hello pear"]
    assert recalled(carol) == ["bob: hello pear (edited)"]
    (message,) = messages(alice)
    assert (message["seq"], message["text"], message["edited"]) == (seq, "hello pear", world.chat.now())
    assert found(alice, "apple") == []
    assert found(alice, "pear") == ["hello pear"]


def test_two_lines_and_a_correction_in_one_packet(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.lines()
    bob.say("a", "b", "/edit c")
    assert alice.lines() == ["bob: a", "bob: b", "bob corrected: c"]
    assert recalled(alice) == ["bob: a", "bob: c (edited)"]


def test_the_same_by_a_program(world: World) -> None:
    bob = guest(world, "bob", "den")
    bob.send(b'{"do":"say","text":"a"}\n{"do":"say","text":"b"}\n{"do":"edit","text":"c"}\n')
    assert [message["text"] for message in messages(bob)] == ["a", "c"]


def test_an_edit_counts_back_over_ones_own_messages_alone(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    bob.say("one", "/me is two", "three")
    alice.say("alice's")
    bob.say("/delete")
    bob.say("/edit -2 uno", "/edit is due")
    assert recalled(alice) == ["bob: uno (edited)", "* bob is due (edited)", "bob: (deleted)", "alice: alice's"]
    bob.lines()
    bob.say("/edit -3 nothing", "/edit -201 nothing", "/edit -0 nothing")
    assert bob.lines() == [
        "Error: there is no such message in den any more; see /history.",
        "Error: -n must be at most 200.",
        "Error: -n must be at least 1.",
    ]
    bob.say("/edit", "what was asked for")
    assert bob.lines() == ["Message:", "bob corrected: what was asked for"]
    bob.say("/edit -1 -2 degrees")
    assert bob.lines() == ["bob corrected: -2 degrees"]


def test_only_the_author_edits_and_nothing_that_was_deleted(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    mine, gone = say(bob, "mine", "gone")
    (other,) = say(guest(world, "carol", "lair"), "elsewhere")
    assert ask(bob, "delete", seq=gone) == "ok"
    assert code(alice, do="edit", seq=mine, text="yours") == "not-your-text"
    for seq in (gone, other, gone + 1, mine + 1000, 2**53):
        assert code(bob, do="edit", seq=seq, text="back") == "no-message"
    assert code(bob, do="edit", seq=mine, text=" ") == "nothing-said"
    assert code(bob, do="edit", seq=mine, text="x" * 4097) == "too-long"
    assert code(bob, do="edit", last=2, text="x") == "no-message"
    assert [message["text"] for message in messages(bob)] == ["mine", ""]
    assert heard(alice, "edited") == []


def test_an_edit_of_several_lines_is_one_message(world: World) -> None:
    alice, bob = world.person("alice", "den"), guest(world, "bob", "den")
    say(bob, "one")
    alice.lines()
    bob.record(do="edit", text="one\ntwo")
    assert alice.lines() == ["bob corrected: one", "    | two"]


def test_an_edit_needs_the_right_to_speak_now(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    (seq,) = say(bob, "rude")
    assert ask(alice, "mute", user="bob") == "ok"
    assert code(bob, do="edit", seq=seq, text="ruder") == "muted"
    assert code(bob, do="react", seq=seq, emoji=THUMB) == "muted"
    assert code(bob, do="react", seq=seq, emoji=THUMB, on=False) == "muted"
    assert code(bob, do="quote", last=1, text="x") == "muted"
    assert ask(alice, "unmute", user="bob") == "ok"
    assert code(bob, do="edit", seq=seq, text="polite") == "ok"
    assert ask(alice, "kick", user="bob") == "ok"
    assert code(bob, do="edit", seq=seq, text="ruder") == "not-in-room"
    assert code(bob, do="react", room="den", seq=seq, emoji=THUMB) == "not-in-that-room"
    assert history(alice) == ["polite"]


def test_an_edit_counts_in_a_slow_room_and_a_reaction_does_not(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "slow", seconds=10) == "ok"
    (seq,) = say(bob, "one")
    assert code(bob, do="edit", seq=seq, text="two") == "too-soon"
    assert code(bob, do="react", seq=seq, emoji=THUMB) == "ok"
    world.pass_time(10)
    assert code(bob, do="edit", seq=seq, text="two") == "ok"
    assert code(bob, do="say", text="three") == "too-soon"


def test_an_edit_that_is_sent_again_is_acknowledged_and_told_nobody(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    (seq,) = say(bob, "one")
    bob.record(do="edit", seq=seq, text="two", id="e1")
    bob.record(do="edit", seq=seq, text="three", id="e2")
    assert len(heard(alice, "edited")) == 2
    bob.records()
    bob.record(do="edit", seq=seq, text="two", id="e1", ref=7)
    event, answer = bob.records()
    assert (event["event"], event["id"], event["text"]) == ("edited", "e1", "three"), "the present text"
    assert answer == {"event": "ok", "re": 7}
    assert alice.records() == []
    assert history(alice) == ["three"]


def test_without_echo_ones_own_edits_and_reactions_are_answered_ok(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    (seq,) = say(bob, "one")
    assert ask(bob, "echo", on=False) == "ok"
    assert ask(bob, "edit", seq=seq, text="two") == "ok"
    assert ask(bob, "react", seq=seq, emoji=THUMB) == "ok"
    assert heard(bob, "edited", "reacted") == []
    assert [event["event"] for event in heard(alice, "edited", "reacted")] == ["edited", "reacted"]


# ---- reactions --------------------------------------------------------------------------------------------------


def test_a_reaction_is_told_and_kept(world: World) -> None:
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), world.person("carol", "den")
    (seq,) = say(alice, "shall we begin?")
    carol.lines()
    assert ask(bob, "react", seq=seq, emoji=THUMB) == "ok"
    (event,) = heard(alice, "reacted")
    assert {name: event[name] for name in ("room", "message", "emoji", "on", "by", "user", "text")} == {
        **{"room": "den", "message": seq, "emoji": THUMB, "on": True, "by": "bob"},
        **{"user": "alice", "text": "shall we begin?"},
    }
    carol.say(f"/react {THUMB}")
    told = 'reacted \U0001f44d to "shall we begin?"'
    assert carol.lines() == [f"bob {told}", f"carol {told}"]
    assert recalled(carol) == [f"alice: shall we begin?  [{THUMB} 2]"]
    (message,) = messages(alice)
    assert [(emoji, by) for emoji, by, _ in message["reactions"]] == [(THUMB, "bob"), (THUMB, "carol")]
    assert ask(bob, "react", emoji=THUMB, on=False) == "ok"
    assert carol.lines() == [f'bob took back {THUMB} from "shall we begin?"']
    assert recalled(carol) == [f"alice: shall we begin?  [{THUMB} 1]"]


def test_the_same_reaction_twice_is_one_and_either_form_takes_it_off(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    (seq,) = say(alice, "hi")
    for emoji in (HEART, HEART, HEART + "\ufe0f"):
        assert ask(bob, "react", seq=seq, emoji=emoji) == "ok"
    assert len(heard(alice, "reacted")) == 1
    assert len(messages(alice)[0]["reactions"]) == 1
    for emoji in (HEART + "\ufe0f", HEART):
        assert ask(bob, "react", seq=seq, emoji=emoji, on=False) == "ok"
    assert [event["on"] for event in heard(alice, "reacted")] == [False]
    assert "reactions" not in messages(alice)[0]


def test_the_21st_reaction_of_one_user_is_refused(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    (seq,) = say(alice, "hi")
    answers = [ask(bob, "react", seq=seq, emoji=chr(0x1F600 + i)) for i in range(21)]
    assert answers == ["ok"] * 20 + ["too-many-reactions"]
    assert ask(alice, "react", seq=seq, emoji=THUMB) == "ok"
    assert len(messages(alice)[0]["reactions"]) == 21


@pytest.mark.parametrize(
    "emoji",
    ["", " ", "a b", "\n", "\x1b[2J", "\u200b", "\u200d", "\ufe0f", THUMB + "\u200b", "x" * 11, THUMB * 9, "\u202e"],
)
def test_what_cannot_be_seen_or_is_long_is_no_reaction(world: World, emoji: str) -> None:
    alice = guest(world, "alice", "den")
    say(alice, "hi")
    assert code(alice, do="react", emoji=emoji) == "bad-emoji"
    assert "reactions" not in messages(alice)[0]


def test_a_reaction_counts_back_over_what_was_shown_to_that_person(world: World) -> None:
    alice, bob, carol = world.person("alice", "den"), world.person("bob", "den"), world.person("carol", "den")
    alice.say("/ignore carol")
    bob.say("one", "two")
    carol.say("unseen")
    bob.say("three", "/delete")
    alice.lines()
    alice.say(f"/react {THUMB}", f"/react -2 {HEART}", f"/react -3 {HEART}")
    assert alice.lines() == [
        f'alice reacted {THUMB} to "two"',
        f'alice reacted {HEART} to "one"',
        "Error: there is no such message in den any more; see /history.",
    ]
    alice.say("mine", f"/react -1 {THUMB}", f"/react -1 {THUMB} off")
    assert alice.lines()[1:] == [f'alice reacted {THUMB} to "mine"', f'alice took back {THUMB} from "mine"']


def test_what_is_stored_while_the_command_is_on_its_way_is_not_meant(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    one, two = say(alice, "seen", "on its way")
    room = world.chat.loaded_rooms.by_name["den"]  # type: ignore[index]
    room.seq = one  # as it is while a batch is stored and not shown yet
    assert ask(bob, "react", emoji=THUMB) == "ok"
    assert [message["seq"] for message in messages(alice) if "reactions" in message] == [one]
    assert ask(bob, "react", emoji=THUMB) == "ok"
    assert [message["seq"] for message in messages(alice) if "reactions" in message] == [one, two]


def test_an_ignored_person_is_not_heard(world: World) -> None:
    alice, bob, carol = world.person("alice", "den"), guest(world, "bob", "den"), guest(world, "carol", "den")
    alice.say("/ignore bob")
    (seq,) = say(bob, "one")
    alice.lines()
    bob.record(do="edit", seq=seq, text="two")
    bob.record(do="react", seq=seq, emoji=THUMB)
    carol.record(do="react", seq=seq, emoji=THUMB)
    assert alice.lines() == [], "nor are the first words of what bob said"
    assert len(heard(carol, "edited", "reacted")) == 3


def test_people_may_hide_reactions(world: World) -> None:
    alice, bob = world.person("alice", "den"), guest(world, "bob", "den")
    (seq,) = say(bob, "one")
    alice.say("/set reactions off")
    assert alice.lines()[-1] == "Reactions are off."
    assert ask(bob, "react", seq=seq, emoji=THUMB) == "ok"
    bob.record(do="edit", seq=seq, text="two")
    assert alice.lines() == ["bob corrected: two"]
    assert recalled(alice) == ["bob: two (edited)"]
    alice.say("/search two")
    assert alice.lines()[1].endswith("bob: two (edited)")
    alice.say("/leave", "/join den")
    assert alice.lines()[-1].endswith("bob: two (edited)")
    alice.say("/reactions on", "/reactions")
    assert alice.lines() == ["Reactions are on."] * 2
    assert recalled(alice) == [f"bob: two (edited)  [{THUMB} 1]"]


def test_the_setting_belongs_to_the_account_and_programs_see_all(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    alice.record(do="reactions", on=False, ref=1)
    assert alice.records()[-1]["reactions"] is False
    (seq,) = say(bob, "one")
    assert ask(bob, "react", seq=seq, emoji=THUMB) == "ok"
    assert len(heard(alice, "reacted")) == 1
    again = restarted(world)
    alice = owner(again, "alice")
    alice.record(do="set")
    assert alice.records()[-1]["reactions"] is False
    alice.record(do="logout")
    alice.records()
    alice.record(do="set")
    assert "reactions" not in alice.records()[-1], "a guest has the usual settings"
    again.close()


# ---- answers to one message --------------------------------------------------------------------------------------


def test_people_read_what_is_answered(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    bob.say("shall we begin?", "or not? " + "x" * 80)
    alice.lines()
    alice.say("/quote -2 yes", f"/quote -2 {'y' * 3} no")
    long = f'bob: "or not? {"x" * 51}\u2026"'
    assert bob.lines()[-2:] == ['alice (to bob: "shall we begin?"): yes', f"alice (to {long}): yyy no"]
    assert recalled(bob)[-2:] == ['alice (to bob: "shall we begin?"): yes', f"alice (to {long}): yyy no"]
    alice.say("/quote -1", "again")
    assert alice.lines()[-1] == 'alice (to alice: "yyy no"): again'


def test_a_program_answers_by_the_seq(world: World) -> None:
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), world.person("carol", "den")
    (seq,) = say(alice, "hi")
    bob.record(do="say", text="hello", quote=seq, id="q1")
    bob.record(do="me", text="waves", quote=seq)
    for event in heard(alice, "said", "acted")[-2:]:
        assert (event["quote"], event["quoted"]) == (seq, {"by": "alice", "text": "hi"})
    assert carol.lines()[-2:] == ['bob (to alice: "hi"): hello', '* bob (to alice: "hi") waves']
    (other,) = say(guest(world, "dora", "lair"), "elsewhere")
    for quote in (seq + 1000, other):
        assert code(bob, do="say", text="what?", quote=quote) == "no-message"
    assert history(alice) == ["hi", "hello", "waves"]


def test_a_quote_and_a_reaction_say_that_a_message_was_deleted(world: World) -> None:
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), world.person("carol", "den")
    (seq,) = say(alice, "first secret")
    bob.record(do="say", text="hello", quote=seq)
    assert ask(bob, "react", seq=seq, emoji=THUMB) == "ok"
    for text in ("second secret", "third secret"):
        alice.record(do="edit", seq=seq, text=text)
    assert recalled(carol)[-1] == 'bob (to alice: "third secret"): hello'
    assert ask(alice, "delete", seq=seq) == "ok"
    assert recalled(carol) == ["alice: (deleted)", "bob (to alice: deleted): hello"]
    assert code(bob, do="react", seq=seq, emoji=THUMB) == "no-message"
    assert code(alice, do="edit", seq=seq, text="fourth secret") == "no-message"
    late = guest(world, "late")
    late.record(do="join", room="den", after=0)
    assert "secret" not in str(late.records())
    assert found(late, "secret") == []
    kept = [row[4] for log in world.engine._logs.values() for row in log.rows]  # type: ignore[attr-defined]
    assert not any(b"secret" in body for body in kept)


def test_who_was_away_is_given_the_present_text_and_what_happened(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    seqs = say(alice, *(f"message {number}" for number in range(1, 11)))
    bob.drop()
    alice.record(do="edit", seq=seqs[2], text="message 3 anew")
    assert ask(alice, "delete", seq=seqs[3]) == "ok"
    assert ask(alice, "react", seq=seqs[4], emoji=THUMB) == "ok"
    back = guest(world, "rob")
    back.record(do="join", room="den", after=seqs[-1])
    told = [(r["event"], r["message"]) for r in back.records() if "message" in r]
    assert told == [("edited", seqs[2]), ("deleted", seqs[3]), ("reacted", seqs[4])]
    texts = history(back)
    assert (texts[2], texts[3], texts[9]) == ("message 3 anew", "", "message 10")


def test_the_template_of_messages_shows_what_is_answered() -> None:
    world = World(form="<{user}> {text}")
    alice = world.person("alice", "den")
    alice.say("hi", "/quote -1 hello")
    assert alice.lines()[-1] == '<alice (to alice: "hi")> hello'
    world.close()


@pytest.mark.parametrize("command", [{"do": "edit", "text": "x"}, {"do": "react", "emoji": "!"}])
def test_there_is_no_message_0(world: World, command: dict[str, Any]) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    alice.records(), bob.records()
    alice.record(**command, seq=0, ref=1)
    (refused,) = alice.records()
    assert refused["code"] == "bad-record"
    assert bob.records() == []


def test_a_quoted_text_cannot_end_the_quotation(world: World) -> None:
    alice, mallory, tom = (
        world.person("alice", "lobby"),
        world.program("mallory", "lobby"),
        world.person("tom", "lobby"),
    )
    mallory.record(do="say", text='ok"): I resign (to bob: "what')
    tom.lines()
    alice.say("/quote -1 sure")
    assert tom.lines() == ["alice (to mallory: \"ok'): I resign (to bob: 'what\"): sure"]
