"""What people do to encrypted private messages, in the window of the conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from client.fake_encryption import FakeEncryption
from client.screen.stage import NOW, Stage, on_stage

from chatroom.client.encryption.interface import Security
from chatroom.client.opened import Opened, PrivateChange, SentSealed
from chatroom.client.screen.window_list import WindowKind
from chatroom.model import events as e
from chatroom.model import replies as a


def open_bob(stage: Stage, *, keys: bool = True) -> None:
    """Bring bob's window to the front."""
    if keys:
        stage.client.privacy.encryption = FakeEncryption(states={"bob": Security.ENCRYPTED})
    stage.screen.switcher.go(stage.screen.windows.open(WindowKind.PERSON, "bob"))


def opened(text: str, id: str = "b1", **more: Any) -> Opened:
    """Return a sealed message of bob's."""
    return Opened(id=id, at=NOW * 1000, by="bob", by_id="bob", to="me", text=text, **more)


def change(kind: Any, message: str, by: str = "bob", **more: Any) -> PrivateChange:
    """Return what somebody did to a message."""
    return PrivateChange(kind=kind, message=message, by=by, user="bob", at=NOW * 1000, **more)


@pytest.mark.parametrize("keys", [True, False])
@pytest.mark.parametrize(
    ("line", "do", "fields"),
    [
        ("/edit better", "edit", {"text": "better"}),
        ("/edit -2 better", "edit", {"text": "better", "last": 2}),
        ("/react 👍", "react", {"emoji": "👍"}),
        ("/react -2 👍 off", "react", {"emoji": "👍", "last": 2, "on": False}),
        ("/quote -1 yes", "quote", {"last": 1, "text": "yes"}),
        ("/delete", "delete", {}),
        ("/delete -1", "delete", {"last": 1}),
        ("/delete -2", "delete", {"last": 2}),
    ],
)
def test_a_command_about_a_message_is_about_the_person_of_the_window(
    tmp_path: Path, line: str, do: str, fields: dict[str, Any], keys: bool
) -> None:
    """A client without keys refuses it, and says why."""

    async def scene(stage: Stage) -> None:
        open_bob(stage, keys=keys)
        stage.type(f"{line}\r")
        await stage.until(lambda: stage.client.did)
        assert stage.client.did == [(do, {"user": "bob", **fields})]

    on_stage(tmp_path, scene)


def test_ones_own_quote_says_at_once_what_it_answers(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        stage.tell(SentSealed("m1", "bob", "yes", quoted=e.Quoted("bob", "shall we?")))
        await stage.shows('me (to bob: "shall we?"): yes')
        stage.screen.switcher.go(stage.screen.windows.server)
        stage.tell(SentSealed("m2", "bob", "no", quoted=e.Quoted("bob", "or not?")))
        await stage.until(lambda: any('To bob (private) (to bob: "or not?"): no' in row for row in stage.rows))
        stage.tell(SentSealed("m3", "bob", "well", "account"))
        await stage.until(lambda: any("bob is offline" in row for row in stage.rows))

    on_stage(tmp_path, scene)


def test_a_message_comes_with_the_reactions_to_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        await stage.until(lambda: stage.client.pasts)
        kept = opened("one", reactions=(e.EmojiReaction("👍", "me", "me"),))
        stage.client.pasts.pop().callback(a.History("", [kept], complete=True, user="bob"))
        await stage.shows("bob: one  [👍 1]")
        stage.tell(change("react", "b1", emoji="👍"))
        await stage.shows("bob: one  [👍 2]")

    on_stage(tmp_path, scene)


def test_a_change_shows_in_the_line_of_the_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        stage.tell(opened("helo"), a.Sent("m1", "bob", "my ansewr"))
        stage.tell(change("edit", "b1", text="hello"), change("react", "b1", "me", emoji="👍"))
        stage.tell(change("edit", "m1", "me", text="my answer"))
        await stage.shows("bob: hello (edited)  [👍 1]", "me: my answer (edited)", "[@bob]")
        stage.tell(change("react", "b1", "me", emoji="👍", on=False), change("delete", "m1", "me", text="my answer"))
        await stage.shows("bob: hello (edited)", "me: (deleted)", "-- me deleted a message.", "[@bob]")

    on_stage(tmp_path, scene)


def test_a_change_of_a_message_that_is_not_shown_has_a_line(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        stage.tell(change("edit", "b0", text="hello"), change("react", "b0", emoji="👍", text="hello"))
        await stage.shows("-- bob corrected: hello", '-- bob reacted 👍 to "hello"')

    on_stage(tmp_path, scene)


def test_what_an_ignored_person_does_is_hidden(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        stage.screen.filter.ignored.add("bob")
        stage.tell(change("edit", "b0", text="look here"), a.Sent("m1", "bob", "the end"))
        await stage.shows("me: the end")
        assert not any("look here" in row for row in stage.rows)

    on_stage(tmp_path, scene)


def test_a_message_says_what_it_answers_and_that_it_was_edited(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        stage.tell(opened("yes", quoted=e.Quoted("me", "shall we?"), edited=NOW * 1000))
        await stage.shows('bob (to me: "shall we?"): yes (edited)')

    on_stage(tmp_path, scene)


def test_a_sealed_message_is_shown_once(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        open_bob(stage)
        await stage.until(lambda: stage.client.pasts)
        stage.tell(opened("two", "b2"))
        history = a.History("", [opened("one"), opened("two", "b2")], complete=True, user="bob")
        stage.client.pasts.pop().callback(history)
        await stage.shows("bob: one", "bob: two", "[@bob]")
        stage.tell(opened("one"), opened("three", "b3"))
        await stage.shows("bob: one", "bob: two", "bob: three", "[@bob]")

    on_stage(tmp_path, scene)
