"""Windows on the screen: what comes where, where a line goes, what is kept, and what counts as read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from client.screen.stage import NOW, Stage, Unread, on_stage, said

from chatroom.client.opened import WithdrawnFile
from chatroom.model import events as e
from chatroom.model import replies as a

ALT_LEFT, ALT_RIGHT = "\x1b[1;3D", "\x1b[1;3C"
PAGE_UP, PAGE_DOWN, END = "\x1b[5~", "\x1b[6~", "\x1b[F"
LOST, GAINED = "\x1b[O", "\x1b[I"
RULE = "------------ new since you looked away ------------"


def private(text: str, by: str = "bob", seq: int = 1) -> e.Private:
    return e.Private(id=f"{by}{seq}", at=NOW * 1000, by=by, by_id=by, to="me", text=text, seq=seq)


def reacted(seq: int, *, on: bool) -> e.Reacted:
    return e.Reacted("", 0, "bea", "b", room="lobby", seq=seq, message=1, emoji="👍", on=on, user="bob", text="x")


def entered(room: str, topic: str = "") -> a.Entered:
    return a.Entered(room=room, room_id=room, topic=topic, users=["me"], seq=1, complete=True)


def joined(stage: Stage, *rooms: str) -> None:
    """Be in more rooms; the last is in front."""
    for room in rooms:
        stage.client.rooms[room] = Unread(room)
        stage.client.focus(room)
        stage.tell(entered(room))


async def prompt(stage: Stage, text: str) -> None:
    """Wait until the input line, with its prompt, is that."""
    await stage.until(lambda: len(stage.rows) > 1 and stage.rows[-2] == text)


async def bar_begins(stage: Stage, text: str) -> None:
    await stage.until(lambda: stage.rows[-1].startswith(f" {text}"))


def test_a_joined_room_opens_its_window_in_front_and_each_line_stays_in_its_own(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("in the lobby"))
        joined(stage, "work")
        await stage.shows("Welcome to room work!", "Current users: me", "[work]")
        await bar_begins(stage, "1:lobby 2:work | ")
        stage.client.rooms["lobby"].unread = 3
        stage.tell(said("more", seq=2), said("at work", room="work"))
        await stage.shows("bob: at work", "[work]")
        assert not any("more" in row or "in the lobby" in row for row in stage.rows)
        await bar_begins(stage, "1:lobby(3) 2:work | ")
        stage.type("\x1b1")
        await stage.shows("bob: in the lobby", RULE, "bob: more", "[lobby]")
        await bar_begins(stage, "1:lobby 2:work | ")

    on_stage(tmp_path, scene)


def test_a_room_that_is_joined_in_the_background_marks_what_is_new(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.rooms["work"] = Unread("work")
        stage.tell(entered("work"), said("first", room="work"))
        await bar_begins(stage, "1:lobby 2:work | ")
        stage.type("\x1b2")
        await stage.shows("Current users: me", RULE, "bob: first", "[work]")

    on_stage(tmp_path, scene)


def test_a_private_message_opens_a_window_without_stealing_the_focus(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("half a sen")
        stage.client.peers["bob"] = Unread("bob", 1)
        stage.tell(private("psst"))
        await bar_begins(stage, "1:lobby 2:@bob(1!) | ")
        await prompt(stage, "[lobby] half a sen")
        stage.type("\x1b2")
        await stage.shows("bob: psst", "[@bob]")
        stage.type("bo\t")
        await prompt(stage, "[@bob] bob:")
        stage.type("\x03who is there?\r")
        await stage.until(lambda: stage.client.did == [("message", {"user": "bob", "text": "who is there?"})])
        stage.tell(a.Sent("x", "bob", "who is there?"))
        await stage.shows("bob: psst", "me: who is there?", "[@bob]")
        assert stage.client.said == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("after", ["hello\r", "he", ""])
def test_enter_right_after_switching_goes_where_the_prompt_says_and_drafts_stay(tmp_path: Path, after: str) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        stage.type("a draft for work\x1b[D\x1b[D")
        stage.type(f"\x1b1{after}")
        await stage.until(lambda: stage.screen.windows.front.name == "lobby")
        if after.endswith("\r"):
            await stage.until(lambda: stage.client.said == ["hello"])
            assert stage.client.heard_in == ["lobby"]
        stage.type("\x1b2")
        await prompt(stage, "[work] a draft for work")
        assert stage.screen.terminal.line.cursor_position == len("a draft for wo")
        stage.type("\r")
        await stage.until(lambda: stage.client.heard_in[-1:] == ["work"])
        stage.type("\x1b1\r")
        await stage.until(lambda: after != "he" or stage.client.said[-1:] == ["he"])

    on_stage(tmp_path, scene)


def test_what_is_typed_while_a_join_is_answered_goes_along(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/join work\rhello al")
        await stage.until(lambda: stage.screen.terminal.line.text == "hello al")
        joined(stage, "work")
        await prompt(stage, "[work] hello al")
        stage.type("l\r")
        await stage.until(lambda: (stage.client.said, stage.client.heard_in) == (["hello all"], ["work"]))
        stage.type("\x1b1")
        await prompt(stage, "[lobby]")

    on_stage(tmp_path, scene)


def test_a_question_about_a_line_sends_it_where_it_was_entered(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        stage.type("login dora tr0ub4dor\r")
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("\x1b1")
        await stage.until(lambda: stage.screen.windows.front.name == "lobby")
        stage.type("y\r")
        await stage.until(lambda: stage.client.heard_in == ["work"])

    on_stage(tmp_path, scene)


def test_a_pasted_text_goes_where_it_was_pasted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        stage.type("\x1b[200~one\ntwo\x1b[201~")
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("\x1b1")
        await stage.until(lambda: stage.screen.windows.front.name == "lobby")
        stage.type("o\r")
        await stage.until(lambda: (stage.client.said, stage.client.heard_in) == (["one\ntwo"], ["work"]))

    on_stage(tmp_path, scene)


def test_keys_go_from_window_to_window(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work", "den")
        windows = stage.screen.windows
        for key, name in (
            (ALT_RIGHT, "server"), (ALT_RIGHT, "lobby"), (ALT_LEFT, "server"), (ALT_LEFT, "den"), ("\x1b2", "work"),
            ("\x1b0", "server"), ("\x1b3", "den"),
        ):  # fmt: skip
            stage.type(key)
            await stage.until(lambda name=name: windows.front.name == name)  # type: ignore[misc]
        stage.type("\x1b9\x1ba!")
        await stage.until(lambda: stage.screen.terminal.line.text.endswith("!"))
        assert windows.front.name == "den"

    on_stage(tmp_path, scene)


def test_alt_a_goes_to_what_is_unread_mentions_first(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work", "den")
        stage.client.rooms["lobby"].unread = 1
        stage.client.rooms["work"].unread = stage.client.rooms["work"].mentions = 2
        for name in ("work", "lobby"):
            stage.type("\x1ba")
            await stage.until(lambda name=name: stage.screen.windows.front.name == name)  # type: ignore[misc]
            await prompt(stage, f"[{name}]")
        assert [room for room, _ in stage.client.marked] == ["work", "lobby"]

    on_stage(tmp_path, scene)


def test_commands_for_windows(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        windows = stage.screen.windows
        for line, name in (
            ("/window lobby", "lobby"), ("/window 2", "work"), ("/window next", "server"), ("/window previous", "work"),
            ("/window l", "lobby"),
        ):  # fmt: skip
            stage.type(f"{line}\r")
            await stage.until(lambda name=name: windows.front.name == name)  # type: ignore[misc]
        stage.type("/window nowhere\r")
        await stage.shows("Error: there is no window nowhere; /window lists them.", "[lobby]")
        stage.type("/window\r")
        await stage.shows("-- windows:", "--   0  server", "--   1  lobby  this one", "--   2  work", "[lobby]")
        stage.tell(a.Users([a.UserLine("bob")], 1))
        stage.type("/query bob hello\r")
        await stage.until(lambda: stage.client.did == [("message", {"user": "bob", "text": "hello"})])
        await prompt(stage, "[@bob]")
        stage.type("/close-window\r")
        await stage.until(lambda: windows.front.name == "lobby")
        assert [window.label for window in windows] == ["server", "lobby", "work"]

    on_stage(tmp_path, scene)


def test_a_closed_window_of_a_room_comes_back_with_its_next_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work")
        stage.tell(said("before", room="work"))
        stage.type("/close-window\r")
        await stage.shows("[lobby]", " lobby (3 users) | me | plain | chatroom chat.example:8888")
        stage.tell(e.Joined("", 0, "x", "x", room="work", seq=2, session=""))
        stage.type("x")
        await stage.until(lambda: stage.screen.terminal.line.text == "x")
        assert stage.rows[-1].startswith(" lobby (")
        stage.tell(said("after", room="work", seq=3))
        await bar_begins(stage, "1:lobby 2:work | ")
        stage.type("\x1b2")
        await stage.until(lambda: "bob: before" in stage.rows and "bob: after" in stage.rows)

    on_stage(tmp_path, scene)


def test_leaving_a_room_closes_its_window_and_being_put_out_does_not(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        joined(stage, "work", "den")
        del stage.client.rooms["den"]
        stage.client.focus("")
        stage.tell(e.Left("", 0, "me", "m", room="den", seq=2, session=""))
        await stage.shows("You have left room den.", "[work]")
        await bar_begins(stage, "1:lobby 2:work | ")
        del stage.client.rooms["work"]
        stage.client.focus("")
        stage.tell(e.Kicked("", 0, "bob", "b", room="work", seq=3, user="me"))
        await stage.shows("me was kicked by bob.", "[-]")
        stage.type("hello?\r")
        await stage.shows("Error: you are not in work; join it with /join work.", "[-]")
        assert stage.client.said == []

    on_stage(tmp_path, scene)


def test_only_what_is_looked_at_counts_as_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"{LOST}x")
        await stage.until(lambda: stage.screen.terminal.line.text == "x")
        stage.client.rooms["lobby"].unread = 1
        stage.tell(said("seen by nobody", seq=7))
        await stage.shows(RULE, "bob: seen by nobody", "[lobby] x")
        assert stage.client.marked == []
        stage.type(GAINED)
        await stage.until(lambda: stage.client.marked == [("lobby", 7)])
        stage.tell(*(said(f"line {n}", seq=n) for n in range(8, 60)))
        stage.type(PAGE_UP)
        await stage.until(lambda: any("below" in row for row in stage.rows))
        stage.client.rooms["lobby"].unread = 1
        stage.tell(said("further down", seq=60))
        stage.type("y")
        await stage.until(lambda: stage.screen.terminal.line.text == "xy")
        assert stage.client.marked == [("lobby", 7)]
        stage.type(END)
        await stage.until(lambda: stage.client.marked[-1] == ("lobby", 60))

    on_stage(tmp_path, scene)


def test_the_unread_line_is_where_one_has_read_on_any_device(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.place.enter(entered("lobby"))
        stage.client.place._replayed = 6
        stage.tell(a.Entered(room="lobby", room_id="r", topic="", users=["me"], seq=6, complete=True, read=4, unread=1))
        stage.tell(*(said(f"line {seq}", seq=seq) for seq in (3, 4, 5, 7)))
        await stage.shows("bob: line 3", "bob: line 4", RULE, "bob: line 5", "bob: line 7", "[lobby]")

    on_stage(tmp_path, scene)


def test_a_file_that_was_deleted_is_not_offered_any_more(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        who = {"id": "f", "at": NOW * 1000, "by": "bob", "by_id": "b", "room": "lobby"}
        file = {"file": "f", "number": 1, "size": 3, "sha256": "0"}
        stage.tell(e.Shared(**who, **file, seq=1, name="a.txt"), reacted(2, on=True))  # type: ignore[arg-type]
        await stage.shows("bob shares a.txt (3 B): /get 1  [👍 1]", "[lobby]")
        stage.tell(e.Deleted(**who, seq=3, message=1, user="bob"))  # type: ignore[arg-type]
        await stage.shows("bob shared a.txt (deleted)", "bob deleted a message.", "[lobby]")
        gone = WithdrawnFile(**who, **file, seq=4, name="", sealed=True, was="b.txt")  # type: ignore[arg-type]
        stage.tell(gone)
        await stage.shows("bob shared b.txt (deleted)", "[lobby]")

    on_stage(tmp_path, scene)


def test_a_message_that_comes_with_reactions_keeps_them_when_another_comes(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        before = (e.EmojiReaction("👍", "carol", "c"),)
        stage.tell(msgspec.structs.replace(said("hello", seq=1), reactions=before, edited=NOW), reacted(2, on=True))
        await stage.shows("bob: hello (edited)  [👍 2]", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_was_done_before_we_came_is_shown_only_in_the_line_of_its_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.place.enter(entered("lobby"))
        stage.client.place._replayed = 6
        early = {"room": "lobby", "message": 1, "user": "bob", "emoji": "🎉", "on": True, "text": "an old one"}
        stage.tell(said("line 3", seq=3), e.Reacted("", 0, "bea", "b", seq=4, **early))
        stage.tell(e.Reacted("", 0, "bea", "b", seq=5, **{**early, "message": 3}))
        await stage.shows("bob: line 3  [🎉 1]", "[lobby]")
        assert not any("reacted" in row for row in stage.rows)
        stage.tell(e.Reacted("", 0, "bea", "b", seq=7, **early))
        await stage.shows('bea reacted 🎉 to "an old one"', "[lobby]")

    on_stage(tmp_path, scene)


def test_scrolling_back_and_how_much_more_there_is(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(*(said(f"line {n}", seq=n) for n in range(1, 61)))
        await stage.shows("bob: line 60", "[lobby]")
        stage.type(f"{PAGE_UP}typed")
        await stage.shows("bob: line 40", "-- 20 more lines below; the End key shows the newest --", "[lobby] typed")
        stage.tell(said("line 61", seq=61))
        await stage.shows("bob: line 40", "-- 21 more lines below; the End key shows the newest --", "[lobby] typed")
        stage.type(PAGE_UP * 9)
        await stage.until(lambda: stage.rows[0] == "bob: line 1")
        stage.type(PAGE_DOWN)
        await stage.until(lambda: stage.rows[0] == "bob: line 21")
        stage.type(f"\x1b[H{END}")
        await stage.shows("bob: line 61", "[lobby] typed")
        assert stage.screen.terminal.line.cursor_position == len("typed")
        stage.type(f"{PAGE_UP}\r")
        await stage.shows("bob: line 61", "[lobby]")

    on_stage(tmp_path, scene)


def test_each_window_keeps_its_place(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(*(said(f"line {n}", seq=n) for n in range(1, 61)))
        stage.type(PAGE_UP)
        await stage.until(lambda: any("below" in row for row in stage.rows))
        first = stage.rows[0]
        stage.client.peers["bob"] = Unread("bob", 1)
        stage.tell(private("psst"))
        stage.type("\x1b2")
        await stage.shows("bob: psst", "[@bob]")
        stage.type("\x1b1")
        await stage.until(lambda: stage.rows[0] == first)

    on_stage(tmp_path, scene)


def test_the_topic_stands_above_if_there_is_room_for_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.rooms["work"] = Unread("work")
        stage.client.focus("work")
        stage.tell(entered("work", topic="what to do"))
        await stage.until(lambda: stage.rows[0] == "work: what to do")
        stage.tell(e.Topic("", 0, "bob", "b", room="work", seq=2, text="what else"))
        await stage.until(lambda: stage.rows[0] == "work: what else")
        stage.resize(40, 8)
        await stage.until(lambda: len(stage.rows) == 8)
        assert stage.rows[0] != "work: what else"

    on_stage(tmp_path, scene)


def test_an_edit_a_reaction_and_a_deletion_change_the_line_in_its_place(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("teh plan", seq=1), said("next", seq=2))
        stage.tell(e.Edited("", NOW * 1000, "bob", "bob", room="lobby", seq=3, message=1, text="the plan"))
        await stage.shows("bob: the plan (edited)", "bob: next", "[lobby]")
        stage.tell(
            e.Reacted("", 0, "bea", "b", room="lobby", seq=4, message=1, emoji="👍", on=True, user="bob", text="x")
        )
        await stage.until(lambda: any(row.startswith("bob: the plan (edited)  [👍") for row in stage.rows))
        stage.tell(
            e.Reacted("", 0, "bea", "b", room="lobby", seq=5, message=1, emoji="👍", on=False, user="bob", text="")
        )
        await stage.shows("bob: the plan (edited)", "bob: next", "[lobby]")
        stage.tell(e.Deleted("", 0, "bob", "bob", room="lobby", seq=7, message=2, user="bob"))
        await stage.shows("bob: the plan (edited)", "bob: (deleted)", "bob deleted a message.", "[lobby]")
        stage.tell(e.Edited("", 0, "bob", "bob", room="lobby", seq=8, message=99, text="of long ago"))
        await stage.shows("bob deleted a message.", "bob corrected: of long ago", "[lobby]")

    on_stage(tmp_path, scene)


def test_who_is_typing_is_in_the_bar_for_six_seconds(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Typing(by="bob", by_id="b", room="lobby"))
        await bar_begins(stage, "lobby (3 users) | bob is typing | me | ")
        stage.clock.advance(6)
        await bar_begins(stage, "lobby (3 users) | me | ")
        stage.tell(a.Typing(by="bob", by_id="b", room="lobby"), a.Typing(by="bea", by_id="e", room="lobby"))
        await bar_begins(stage, "lobby (3 users) | bob and bea are typing | me | ")
        stage.tell(said("done"))
        await bar_begins(stage, "lobby (3 users) | bea is typing | me | ")

    on_stage(tmp_path, scene)


def test_others_are_told_that_one_is_typing_but_not_a_command(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/he")
        await stage.until(lambda: stage.screen.terminal.line.text == "/he")
        assert stage.client.typed_in == []
        stage.type("\x03h")
        await stage.until(lambda: stage.client.typed_in == ["lobby"])
        stage.tell(private("psst"))
        stage.type("\x03\x1b2x")
        await stage.until(lambda: stage.client.typed_in[-1:] == ["@bob"])

    on_stage(tmp_path, scene)


def test_history_and_search_in_a_private_window_are_about_the_conversation(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(private("psst"))
        stage.type("\x1b2/history\r/search words\r")
        await stage.until(lambda: len(stage.client.did) == 2)
        assert [(do, fields["user"]) for do, fields in stage.client.did] == [("history", "bob"), ("search", "bob")]
        stage.type("/kick bea\r")
        await stage.shows("Error: /kick is about a room; go to the window of the room first.", "[@bob]")
        assert len(stage.client.did) == 2

    on_stage(tmp_path, scene)


def test_no_line_of_a_message_poses_as_a_line_of_somebody_else(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hi\neve: give me money\n" + "word " * 20 + "eve: now"))
        await stage.shows(
            "bob: hi",
            "    | eve: give me money",
            "    | " + " ".join(["word"] * 15),
            "    | word word word word word eve: now",
        )

    on_stage(tmp_path, scene)
