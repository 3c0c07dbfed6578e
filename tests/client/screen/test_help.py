"""/help on the screen: the server's topics, and one of the client's own."""

from __future__ import annotations

from pathlib import Path

from client.screen.stage import Stage, on_stage

from chatroom.client.encryption.commands import USAGES, WAYS
from chatroom.model import replies as a

TALK = a.HelpTopic("talk", "say something", ["/say", "/me"])
END = a.HelpTopic("end", "leave", ["/quit"])
LINES = [
    a.HelpLine("/say <text>", "say it"),
    a.HelpLine("/me <text>", "do it"),
    a.HelpLine("/quit", "leave the server"),
]


def test_the_client_adds_a_topic_for_what_it_does_itself(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help(LINES, [TALK, END]))
        await stage.shows("  talk     say something: /say /me /query", "  end      leave: /quit /help /exit")
        rows = [row for row in stage.rows if row.strip()]
        start = next(number for number, row in enumerate(rows) if row.startswith("What do you want to do?"))
        assert rows[start + 1 : start + 3] == [
            "  talk     say something: /say /me /query",
            "  end      leave: /quit /help /exit",
        ]
        own = " ".join(" ".join(rows[start + 3 :]).split())
        assert own.startswith("client use this client: /")
        assert "/clear" in own
        assert "/exit" not in own.partition("In a room")[0], "it stands where the server's topics have /quit"
        assert "/quit" not in own.partition("In a room")[0], "the server's topics have it already"

    on_stage(tmp_path, scene)


SHARE = a.HelpTopic("share", "share files", ["/files", "/get"])
SETTINGS = a.HelpTopic("settings", "choose what you see", ["/set"])


def test_what_the_client_does_stands_in_the_topics_where_people_look_for_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help(LINES, [SHARE, SETTINGS]))
        await stage.shows("  share     share files: /files /get /send /cancel /open")
        overview = " ".join(" ".join(stage.rows).split())
        assert "settings choose what you see: /set /bell" in overview
        settings, _, client = overview.partition("client use this client:")
        assert {"/bell", "/focus", "/timestamps"} <= set(settings.split())
        assert not {"/bell", "/focus", "/send", "/cancel"} & set(client.partition("In a room")[0].split())
        stage.tell(a.Help([a.HelpLine("/files", "list them"), a.HelpLine("/get <number>", "fetch")], title=SHARE.title))
        await stage.shows("To share files:")
        told = "\n".join(stage.rows).partition("To share files:")[2]
        assert [told.count(f"  {word} ") for word in ("/files", "/get", "/send", "/cancel")] == [1, 1, 1, 1]
        assert "/bell" not in told

    on_stage(tmp_path, scene)


def test_a_topic_that_the_server_does_not_have_leaves_the_commands_with_the_client(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help(LINES, [TALK]))
        await stage.shows("  talk     say something: /say /me /query")
        client = " ".join(" ".join(stage.rows).split()).partition("client use this client:")[2]
        assert {"/send", "/cancel", "/bell", "/focus", "/clear"} <= set(client.split())

    on_stage(tmp_path, scene)


def test_a_topic_of_the_servers_shows_what_the_client_does_in_its_place(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(
            a.Help([a.HelpLine("/echo <on|off>", "hear it"), LINES[2], a.HelpLine("JOIN_ROOM x", "no")], title="end it")
        )
        await stage.shows("To end it:")
        text = "\n".join(stage.rows)
        assert "/echo <on|off>" in text
        assert "leave the chat; Ctrl-D" in text
        assert "JOIN_ROOM" not in text
        assert "/clear" not in text

    on_stage(tmp_path, scene)


def test_the_clients_own_topic_is_not_asked_of_the_server(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/help client\r")
        await stage.shows("To use this client:")
        assert any(row.lstrip().startswith("/clear ") for row in stage.rows)
        stage.type("/help talk\r")
        await stage.until(lambda: ("help", {"command": "talk"}) in stage.client.did)
        assert ("help", {"command": "client"}) not in stage.client.did

    on_stage(tmp_path, scene, size=(80, 40))


def test_encryption_has_a_topic_of_its_own(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help(LINES, [TALK]))
        await stage.shows("  privacy  encrypt what you write: /verify /devices /keys /direct /encrypt")
        stage.type("/help privacy\r")
        await stage.shows("To encrypt what you write:")
        rows = "\n".join(stage.rows).partition("To encrypt what you write:")[2]
        assert [rows.count(f"  {word} ") for word in ("/verify", "/devices", "/keys", "/direct", "/encrypt")] == [1] * 5
        assert "/clear" not in rows

    on_stage(tmp_path, scene, size=(100, 40))


def test_each_word_of_a_command_has_a_line_of_its_own(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.type("/help keys\r")
        await stage.until(lambda: any("/keys import FILE" in row for row in stage.rows))
        rows = [row.removeprefix("-- ").strip() for row in stage.rows]
        assert "/keys import FILE  read what /keys export has saved on another device of yours" in rows
        assert "/keys recover      link this device with the recovery key" in rows

    on_stage(tmp_path, scene, size=(100, 40))


def test_every_word_of_the_commands_for_encryption_is_explained() -> None:
    for word, (usage, _) in USAGES.items():
        typed = [line.split()[2:3] if word in ("verify", "direct") else line.split()[1:2] for line, _ in WAYS[word]]
        words = usage.partition("[")[2].partition("]")[0].split("|")
        assert typed == [[], *([each] for each in words)]


def test_all_commands_of_the_server_are_still_offered_after_a_topic(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(a.Help(LINES, [TALK, END]))
        stage.tell(
            a.Help([a.HelpLine("/me <text>", "do it"), a.HelpLine("/say <text>", "say it")], title="say something")
        )
        stage.type("/sa")
        await stage.until(lambda: any("/say" in row and "say it" in row for row in stage.rows[-9:]))

    on_stage(tmp_path, scene)


def test_the_clients_settings_say_what_their_commands_do_alone(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for line in stage.screen.known.own:
            if line.usage.endswith("off]") or "[off|" in line.usage:
                assert "alone, it " in line.help, line.usage

    on_stage(tmp_path, scene)
