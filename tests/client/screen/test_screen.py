"""The screen as a whole, in memory: what is typed, what is shown, what is asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from client.screen.stage import NOW, Stage, on_stage, said

from chatroom.client.errors import Rejected
from chatroom.client.status import Connected, Denied, Ended, Gap, Lost
from chatroom.model import events as e
from chatroom.model import replies as a

BAR = " lobby (3 users) | me | plain | chatroom chat.example:8888"

OFFLINE = " not connected, trying now | chat.example:8888"


def test_what_comes_stands_above_what_is_being_typed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("half a sen")
        await stage.shows("[lobby] half a sen", BAR)
        stage.tell(said("hello"), said("again"))
        await stage.shows("bob: hello", "bob: again", "[lobby] half a sen", BAR)
        stage.type("tence\r")
        await stage.until(lambda: stage.client.said == ["half a sentence"])

    on_stage(tmp_path, scene)


def test_a_hostile_server_reaches_nothing_of_the_terminal(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        bad = "a\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\rb\nc\u202ed"
        stage.client.room = stage.client.server = stage.client.users[1] = bad
        start = len(stage.glass.raw)
        stage.tell(said(bad, by=bad), e.Topic(id="x", at=0, by=bad, by_id="x", text=bad))
        stage.tell(
            a.Ok(bad), a.Error("x", bad), a.Users([a.UserLine(bad, bad, bad)], 1), a.Rooms([a.RoomLine(bad, 1, bad)])
        )
        stage.tell(
            a.Help([a.HelpLine(f"/{bad}", bad)]),
            Lost(bad, 1.0),
            e.Private(id="", at=2**62, by=bad, by_id="", to="", text=bad),
        )
        stage.tell(
            a.Entered(room=bad, room_id="", topic=bad, users=[bad], seq=1, complete=True),
            e.Announced("", -(2**62), bad, "", text=bad),
        )
        stage.type("/")
        stage.clock.advance(0.02)
        await stage.until(lambda: "/account" in stage.glass.raw)
        raw = stage.glass.raw[start:]
        assert not any(piece in raw for piece in ("\x1b]52", "\x1b[2J", "\x9b", "\x07", "\u202e")), raw

    on_stage(tmp_path, scene, bell="off")


def test_no_name_hides_or_imitates_what_the_bar_says(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.server = "chatroom x:1 | TLS 1.3 | me | lobby" + " " * 80
        stage.client.room = "y" * 80
        stage.tell(said("hello"))
        server, room = "chatroom x:1 / TLS 1.3 / me...", "y" * 27 + "..."
        await stage.until(lambda: stage.rows[-1] == f" {room} (3 users) | me | plain | {server} chat.example:8888")

    on_stage(tmp_path, scene, size=(120, 24))


def test_thousands_of_lines_are_drawn_within_a_second(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.glass._stream.feed = lambda text: None  # type: ignore[method-assign]  # pyte is not what is measured
        start = time.perf_counter()
        stage.tell(*(said(f"line {i}", by=f"user{i % 50}", seq=i) for i in range(3000)))
        await stage.until(lambda: "line 2999" in stage.glass.raw)
        took = time.perf_counter() - start
        assert stage.glass.raw.count("[lobby]") < 20  # drawn once a batch
        assert took < 1.0

    on_stage(tmp_path, scene)


def test_wide_characters_and_a_resize(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("日本語 🎉x")
        await stage.until(lambda: stage.screen.terminal.line.text == "日本語 🎉x")
        stage.tell(said("добрый 🎈 день"))
        await stage.until(lambda: stage.glass.screen.cursor.x == len("[lobby] ") + 6 + 1 + 2 + 1)
        stage.size = stage.size._replace(columns=40)
        stage.glass.screen.resize(24, 40)
        stage.screen.terminal.app._on_resize()
        stage.tell(said("after"))
        stage.type("y")
        await stage.until(lambda: stage.rows[-2].startswith("[lobby] ") and stage.rows[-2].endswith("xy"))
        assert [row for row in stage.rows if "[lobby]" in row] == [stage.rows[-2]]

    on_stage(tmp_path, scene)


def test_a_refusal_is_shown_as_it_is(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/kick bob be nice\r")
        await stage.until(lambda: stage.client.did == [("kick", {"user": "bob", "reason": "be nice"})])
        stage.client.refuse("only a moderator of lobby can do that.")
        await stage.shows("Error: only a moderator of lobby can do that.", "[lobby]")

    on_stage(tmp_path, scene)


def test_a_password_is_asked_for_and_seen_nowhere(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login bob\r")
        await stage.shows("Password:", BAR)
        stage.type("s3cret")
        await stage.shows("Password: ******", BAR)
        stage.type("\r")
        await stage.until(lambda: stage.client.did == [("login", {"user": "bob", "password": "s3cret"})])
        stage.type("/register bob s3cret\rhello\r")
        await stage.until(lambda: stage.client.said == ["hello"])
        await stage.until(lambda: len(stage.screen.terminal.line._working_lines) > 1)
        stage.type("\x1b[A\x1b[A\x1b[A")
        await stage.shows("[lobby] hello", BAR)
        assert "s3cret" not in (tmp_path / "history").read_text()

    on_stage(tmp_path, scene)


def test_a_password_that_is_typed_in_the_line_is_not_seen_either(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login bob s3 cret")
        await stage.shows("[lobby] /login bob *******", BAR)
        stage.type("\r")
        await stage.until(lambda: stage.client.did == [("login", {"user": "bob", "password": "s3 cret"})])
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        stage.type("/login bob s3")
        await stage.shows("Your name (Enter: stay a guest): /login bob **", BAR)
        assert "s3" not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_a_new_password_is_asked_for_twice(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/register bob\rone\rother\r")
        await stage.shows("Error: the two are not the same; nothing was changed.", "Choose a password:")
        stage.type("one\rone\r")
        await stage.until(lambda: stage.client.did == [("register", {"user": "bob", "password": "one"})])

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("line", "code", "fields"),
    [
        ("/login bob\rw0rd\r", "wrong-password", {"user": "bob", "password": "r1ght"}),
        ("/register bob\rw0rd\rw0rd\r", "bad-password", {"user": "bob", "password": "r1ght"}),
    ],
)
def test_after_a_refused_password_the_right_one_is_asked_for_hidden(
    tmp_path: Path, line: str, code: str, fields: dict[str, str]
) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(line)
        await stage.until(lambda: len(stage.client.did) == 1)
        stage.client.refuse("that is not it.", code)
        await stage.until(lambda: stage.screen.terminal.questions.current is not None)
        await stage.shows("Error: that is not it.")
        stage.type(line.split("\r", 1)[1].replace("w0rd", "r1ght"))
        await stage.until(lambda: stage.client.did[1:] == [(stage.client.did[0][0], fields)])
        assert stage.client.said == []
        for secret in ("w0rd", "r1ght"):
            assert secret not in stage.glass.raw
        stage.client.answers.pop().callback(a.Ok())
        await stage.shows("[lobby]")

    on_stage(tmp_path, scene)


def test_a_guest_is_asked_for_a_name_until_one_is_free(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        await stage.shows("Your name (Enter: stay a guest):", BAR)
        stage.type("bob\r")
        await stage.until(lambda: stage.client.did[-1] == ("name", {"name": "bob"}))
        stage.client.refuse("username is already used; choose another with /name <name>.", "name-in-use")
        await stage.until(lambda: stage.client.did[-1] == ("whois", {"user": "bob"}))
        stage.client.answers.pop().callback(a.Person(name="bob", account=False))
        await stage.shows(
            "Error: username is already used; choose another with /name <name>.",
            "Your name (Enter: stay a guest):",
        )
        stage.type("bea\r")
        await stage.until(lambda: stage.client.did[-1] == ("name", {"name": "bea"}))
        stage.client.answers.pop().callback(a.Ok())
        await stage.until(lambda: stage.screen.terminal.questions.current is None)
        stage.tell(Denied("name", "me", "name-in-use", "username is already used."))
        await stage.until(lambda: stage.client.did[-1] == ("whois", {"user": "me"}))
        stage.client.answers.pop().callback(a.Person(name="me", account=False))
        await stage.shows("Error: username is already used.", "Your name (Enter: stay a guest):", BAR)

    on_stage(tmp_path, scene)


def test_a_login_that_finds_the_account_in_use_is_told_of_takeover(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/login bob secret\r")
        await stage.until(lambda: stage.client.did == [("login", {"user": "bob", "password": "secret"})])
        stage.client.refuse("bob is already logged in.", "already-logged-in")
        await stage.shows(
            "Error: bob is already logged in.", "-- Type /takeover to end that session and log in here.", "[lobby]"
        )
        stage.type("/takeover\r")
        await stage.until(lambda: stage.client.did[-1] == ("takeover", {}))
        stage.tell(Denied("login", "eve", "already-logged-in", "eve is already logged in."))
        await stage.shows(
            "Error: eve is already logged in.", "-- Type /takeover to end that session and log in here.", "[lobby]"
        )
        stage.tell(Denied("login", "eve", "too-many-devices", "eve is already in use on the most devices allowed (8)."))
        await stage.shows(
            "Error: eve is already in use on the most devices allowed (8).",
            "-- Type /takeover to log out the device that logged in first, and log in here.",
            "[lobby]",
        )

    on_stage(tmp_path, scene)


def test_whoever_is_asked_for_a_name_may_give_a_command_instead(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Connected("chatroom", "guest-abcd", True, "plain"))
        await stage.shows("Your name (Enter: stay a guest):", BAR)
        stage.type("/login bob\r")
        await stage.shows("Password:", BAR)
        stage.type("s3cret\r")
        await stage.until(lambda: stage.client.did[-1] == ("login", {"user": "bob", "password": "s3cret"}))
        assert stage.screen.terminal.questions.current is None
        assert "name" not in [do for do, _ in stage.client.did]

    on_stage(tmp_path, scene)


def test_what_the_client_asked_for_itself_is_not_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Connected("chatroom", "me", False, "plain"))
        assert [do for do, _ in stage.client.did] == ["help", "rooms"]
        assert stage.client.asked == 1
        stage.tell(a.Help([a.HelpLine("/join <room>", "join it")]), a.Rooms([a.RoomLine("attic", 1, "")]))
        stage.tell(a.Users([a.UserLine("zoë")], 1))
        stage.tell(a.Rooms([a.RoomLine("cellar", 2, "")]))
        await stage.shows("Rooms (1):", "  cellar  2 users", "[lobby]")
        assert not any("attic" in row or "join it" in row or "zo" in row for row in stage.rows)
        stage.type("/join a")
        await stage.shows("[lobby] /join a", BAR)
        stage.type("\t")
        await stage.until(lambda: stage.screen.terminal.line.text == "/join attic ")

    on_stage(tmp_path, scene)


def test_commands_are_offered_with_their_help(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help([a.HelpLine("/join <room> [messages]", "join a room"), a.HelpLine("/jump", "jump high")]))
        stage.type("/j")
        await stage.until(lambda: any("/join" in row and "join a room" in row for row in stage.rows[-9:]))
        await stage.until(lambda: any("/jump" in row and "jump high" in row for row in stage.rows[-9:]))
        await stage.until(lambda: stage.rows[-1] == BAR)  # the menu hides nothing of it
        stage.type("\x03")
        await stage.until(lambda: not any("jump high" in row for row in stage.rows[-2:]))

    on_stage(tmp_path, scene)


def test_what_the_server_offers_to_operators_is_offered_to_nobody_else(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        common = [a.HelpLine("/set", "show your settings"), a.HelpLine("/search <words>", "find messages")]
        stage.tell(a.Help(common))
        stage.type("/se")
        await stage.until(lambda: any("find messages" in row for row in stage.rows))
        assert not any("/set-operator" in row for row in stage.rows)
        stage.type("\x03")
        stage.tell(a.Account(name="me", operator=True))
        await stage.until(lambda: ("help", {}) in stage.client.did)
        stage.tell(a.Help([*common, a.HelpLine("/set-operator <user> <on|off>", "make an account an operator's")]))
        stage.type("/se")
        await stage.until(lambda: any("/set-operator" in row for row in stage.rows))

    on_stage(tmp_path, scene)


def test_names_are_completed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("bE\t")
        await stage.until(lambda: stage.screen.terminal.line.text == "Bea: ")
        stage.type("hi bo\t")
        await stage.until(lambda: stage.screen.terminal.line.text == "Bea: hi bob ")
        stage.type("!\r")
        await stage.until(lambda: stage.client.said == ["Bea: hi bob !"])

    on_stage(tmp_path, scene)


def test_people_elsewhere_who_were_heard_of_are_completed_where_a_name_is_wanted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(
            e.Private(id="", at=0, by="carl", by_id="", to="me", text="psst"),
            e.Arrived("", 0, "carla", ""),
            a.Account(name="me", users=["dora"]),
            a.Users([a.UserLine("emil", "attic", "")], 1),
        )
        for start, name in (("c", "carl"), ("carla", "carla"), ("d", "dora"), ("e", "emil")):
            stage.type(f"/msg {start}\t")
            await stage.until(lambda name=name: stage.screen.terminal.line.text.startswith(f"/msg {name}"))
            stage.type("\x03")
        stage.type("hi do\t")
        await stage.shows("[lobby] hi do", " 1:lobby 2:@carl | 3 users | me | plain | chatroom chat.example:8888")

    on_stage(tmp_path, scene)


def test_folders_are_completed_so_that_one_may_go_on(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "notes.txt").touch()

    async def scene(stage: Stage) -> None:
        stage.type(f"/send {tmp_path}/let\t")
        await stage.until(lambda: stage.screen.terminal.line.text == f"/send {tmp_path}/letters/")
        stage.type("\t")
        await stage.until(lambda: stage.screen.terminal.line.text == f"/send {tmp_path}/letters/notes.txt")

    on_stage(tmp_path, scene)


def test_ctrl_c_clears_the_line_and_leaves_when_pressed_twice(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("oops\x03")
        await stage.shows("[lobby]", BAR)
        assert not stage.running.done()
        stage.type("\x03")
        await stage.shows("-- press Ctrl-C again to leave, or Ctrl-D.", "[lobby]")
        stage.type("\x03")
        await stage.until(stage.running.done)
        assert stage.client.said == []
        assert not any("[lobby]" in row for row in stage.rows)

    on_stage(tmp_path, scene)


def test_ctrl_d_leaves_only_on_an_empty_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("x\x04\x7f")
        await stage.until(lambda: stage.screen.terminal.line.text == "")
        assert not stage.running.done()
        stage.type("\x04")
        await stage.until(stage.running.done)

    on_stage(tmp_path, scene)


def paste(text: str) -> str:
    """What a terminal sends for a paste."""
    return f"\x1b[200~{text}\x1b[201~"


def test_several_pasted_lines_are_said_one_after_another(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("one\r\n/quit\n\nthree\n"))
        await stage.shows(
            "-- you pasted 4 lines: one...",
            "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them?",
        )
        assert stage.client.said == []
        stage.type("l\r")
        for heard in (["one"], ["one", "/quit"], ["one", "/quit", "three"]):
            await stage.until(lambda heard=heard: stage.client.said == heard)
            stage.client.answers.pop().callback(None)
        assert not stage.running.done()

    on_stage(tmp_path, scene)


def test_a_paste_is_stopped_by_ctrl_c(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("one\ntwo"))
        await stage.until(lambda: stage.screen.terminal.questions.current)
        stage.type("l\r\x03")
        await stage.until(lambda: not stage.screen.pasting._going and stage.client.said)
        stage.client.answers.pop().callback(None)
        await stage.shows("-- stopped; 1 of 2 lines were sent.", "[lobby]")
        assert stage.client.said == ["one"]

    on_stage(tmp_path, scene)


def test_several_pasted_lines_are_said_as_one_or_dropped(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("one\ntwo") + "o\r")
        await stage.until(lambda: stage.client.said == ["one\ntwo"])
        stage.type(paste("one\ntwo") + "d\r")
        await stage.shows("-- dropped; nothing was sent.", "[lobby]")
        stage.type(paste("one line") + "!\r")
        await stage.until(lambda: stage.client.said == ["one\ntwo", "one line!"])

    on_stage(tmp_path, scene)


def test_too_much_is_not_pasted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(paste("x" * 33_000))  # a pipe takes no more than 64 KiB at once
        too_much = "Error: that is too much to paste (at most 32768 characters); nothing was sent."
        await stage.shows(too_much, "[lobby]")
        stage.type(paste("x\n" * 501))
        await stage.shows(
            too_much,
            "Error: 501 lines are too many to paste (at most 500); nothing was sent.",
            "[lobby]",
        )
        assert stage.screen.terminal.questions.current is None

    on_stage(tmp_path, scene)


def test_a_lost_connection_is_told_once_and_what_is_said_meanwhile_is_kept(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online = False
        stage.tell(Lost("gone", 1.0), Lost("gone", 2.0), Lost("refused; is it running?", 4.0))
        await stage.shows(
            "-- gone. The client keeps trying; Enter tries now.",
            "-- refused; is it running? The client keeps trying; Enter tries now.",
            "[lobby]",
            OFFLINE,
        )
        stage.type("hello\r")
        await stage.until(lambda: stage.client.said == ["hello"])
        await stage.shows("-- no connection; this is said when there is one again: hello", "[lobby]", OFFLINE)

    on_stage(tmp_path, scene)


def trying_in(seconds: int) -> str:
    """Return the bar while an attempt is awaited."""
    return f" not connected, trying again in {seconds} s (Enter: now) | chat.example:8888"


def test_the_bar_counts_down_to_the_next_attempt_and_enter_makes_it_now(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        client, clock = stage.client, stage.clock
        client.online, client.retry_in = False, 2.4
        stage.tell(Lost("gone", 2.4))
        await stage.until(lambda: stage.rows[-1] == trying_in(3))
        for passed, left, shown in ((0.4, 2.0, 2), (0.6, 1.4, 2), (0.4, 1.0, 1), (0.5, 0.5, 1)):
            client.retry_in = left
            clock.advance(passed)
            await stage.until(lambda shown=shown: stage.rows[-1] == trying_in(shown))
        stage.type("\r")
        gone = "-- gone. The client keeps trying; Enter tries now."
        await stage.shows(gone, "-- trying again now.", "[lobby]", OFFLINE)
        client.retry_in = 40.0
        stage.tell(Lost("gone", 40.0))
        await stage.until(lambda: stage.rows[-1] == trying_in(40))
        await stage.shows(gone, "-- trying again now.", "[lobby]", trying_in(40))
        stage.type("hello\r")
        await stage.until(lambda: client.said == ["hello"])
        assert client.tried_now == 1, "what is typed is no Enter alone"
        client.retry_in, client.online = None, True
        stage.type("\r/clear\r")
        await stage.until(lambda: len([row for row in stage.rows if row]) == 2)
        assert client.tried_now == 1

    on_stage(tmp_path, scene)


def test_a_narrow_bar_counts_down_too(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online, stage.client.retry_in = False, 59.5
        stage.tell(Lost("gone", 59.5))
        await stage.until(lambda: stage.rows[-1] == " again in 60 s | chat.example:8888")

    on_stage(tmp_path, scene, size=(40, 24))


def test_when_no_connection_is_made_any_more_the_user_is_told_that_enter_tries_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online = False
        stage.client.over = Rejected("ended", "it has another key.")
        stage.tell(Ended("it has another key"))
        ended = "Error: it has another key. Enter tries again."
        await stage.shows(ended, "[lobby]", " not connected | chat.example:8888")
        stage.type("hello\r")
        await stage.until(lambda: stage.client.said == ["hello"])
        stage.client.refuse("it has another key.", "ended")
        again = "Error: there is no connection; Enter on an empty line tries again."
        await stage.shows(ended, "-- not sent to lobby: hello", again, "[lobby]")
        stage.type("/help\r")
        await stage.until(lambda: stage.client.did == [("help", {})])
        stage.client.refuse("it has another key.", "ended")
        await stage.shows(again, again, "[lobby]")
        assert stage.client.tried_now == 0
        stage.type("\r")
        await stage.shows(again, "-- trying again now.", "[lobby]", OFFLINE)
        assert stage.client.tried_now == 1

    on_stage(tmp_path, scene)


def test_a_session_that_was_taken_over_is_not_tried_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.client.online = False
        stage.tell(Ended("you go on there", retry=False))
        await stage.shows("Error: you go on there.", "[lobby]")

    on_stage(tmp_path, scene)


def test_what_was_missed_is_told(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(Gap("lobby"))
        await stage.shows("-- some messages sent to lobby in the meantime are not shown; see /history.", "[lobby]")

    on_stage(tmp_path, scene)


def test_a_line_marks_where_one_looked_away(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("before", seq=1))
        stage.type("\x1b[Ox")
        await stage.until(lambda: stage.screen.terminal.line.text == "x")
        stage.tell(said("while away", seq=2), said("more", seq=3))
        await stage.shows(
            "bob: before", "------------ new since you looked away ------------", "bob: while away", "bob: more"
        )
        stage.type("\x1b[Iy")
        await stage.until(lambda: stage.screen.terminal.line.text == "xy")
        stage.tell(said("there again", seq=4))
        await stage.shows("bob: more", "bob: there again")

    on_stage(tmp_path, scene)


def test_the_bell_rings_once_for_many(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        rings = stage.glass.raw.count("\a")
        stage.tell(said("hi all"), said("hi you, me", by="me"))
        assert stage.glass.raw.count("\a") == rings
        stage.tell(said("hi ME!"), said("me?"), said("home"))
        assert stage.glass.raw.count("\a") == rings + 1
        stage.type("/bell off\r")
        await stage.shows("-- the bell is off (this client keeps this until you quit).", "[lobby]")
        stage.clock.advance(2)
        stage.tell(said("me?"))
        assert stage.glass.raw.count("\a") == rings + 1

    on_stage(tmp_path, scene)


def test_what_was_said_before_one_came_is_no_news(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        rings = stage.glass.raw.count("\a")
        stage.type("\x1b[Ox")
        await stage.until(lambda: stage.screen.terminal.line.text == "x")
        stage.client.place.enter(a.Entered(room="lobby", room_id="r", topic="", users=["me"], seq=5, complete=True))
        stage.tell(said("me?", seq=3))
        await stage.shows("bob: me?", "[lobby] x")
        assert stage.glass.raw.count("\a") == rings
        stage.tell(said("me!", seq=6))
        await stage.shows("bob: me?", "------------ new since you looked away ------------", "bob: me!")
        assert stage.glass.raw.count("\a") == rings + 1

    on_stage(tmp_path, scene)


def test_while_some_are_in_focus_the_others_are_not_seen(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hello", by="carl"))
        stage.type("/focus carl\r")
        told = "-- you see only messages from carl; /focus off ends it (this client keeps this until you quit)."
        await stage.shows(told, "[lobby]")
        stage.tell(said("unseen", by="bea"), e.Private(id="", at=NOW * 1000, by="bea", by_id="", to="me", text="psst"))
        stage.tell(said("heard", by="carl", seq=2))
        await stage.shows(told, "carl: heard", "[lobby]")
        stage.type("\x1b2")
        await stage.shows("bea: psst", "[@bea]")

    on_stage(tmp_path, scene, size=(120, 24))


@pytest.mark.parametrize(
    ("there", "meant"),
    [(["physics", "chess", "chemistry"], " Did you mean chemistry? Type /join chemistry."), (["physics"], "")],
)
def test_a_room_that_a_join_has_made_is_told_of_and_what_may_have_been_meant(
    tmp_path: Path, there: list[str], meant: str
) -> None:
    async def scene(stage: Stage) -> None:
        entered = {"room_id": "", "topic": "", "users": ["me"], "seq": 1, "complete": True}
        stage.tell(a.Entered(room="chemestry", made=True, **entered))
        assert stage.client.did == [("rooms", {})]
        rooms = a.Rooms([a.RoomLine(name, 1, "") for name in [*there, "chemestry"]])
        stage.tell(rooms)
        stage.client.answers.pop().callback(rooms)
        welcome = ["Welcome to room chemestry!", "Current users: me"]
        await stage.shows(*welcome, f"-- there was no room chemestry, so you have created it.{meant}", "[lobby]")
        stage.tell(a.Entered(room="physics", made=True, created=True, **entered), a.Entered(room="chess", **entered))
        assert stage.client.did == [("rooms", {})]

    on_stage(tmp_path, scene, size=(120, 24))


def test_a_room_is_told_to_be_new_even_if_the_list_is_refused(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Entered(room="den", room_id="", topic="", users=["me"], seq=1, complete=True, made=True))
        stage.client.refuse("not now.")
        await stage.shows("-- there was no room den, so you have created it.", "[lobby]")
        stage.tell(a.Rooms([]))
        await stage.shows("No rooms yet; create one with /create <room>.", "[lobby]")

    on_stage(tmp_path, scene)


def test_colours_are_left_out_when_nobody_wants_them(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hello"))
        await stage.shows("bob: hello", "[lobby]")
        assert ";38;5;" not in stage.glass.raw
        assert "\x1b[38;5;" not in stage.glass.raw

    on_stage(tmp_path, scene, colours=False)


def test_clear_leaves_only_the_input_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hello"))
        await stage.shows("bob: hello", "[lobby]")
        stage.type("/clear\r")
        await stage.until(lambda: stage.rows == [*[""] * 22, "[lobby]", BAR])

    on_stage(tmp_path, scene)
