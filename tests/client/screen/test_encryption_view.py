"""The commands for encryption on the screen, what the bar says, and which messages are marked."""

from __future__ import annotations

from pathlib import Path

import pytest
from client.fake_encryption import DIGITS, NEW, OTHER_DIGITS, RECOVERY_KEY, FakeEncryption, FakeLinks
from client.screen.stage import NOW, Stage, on_stage, said
from twisted.internet.defer import Deferred

from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import DeviceLine, KeyState, LinkPath, Security
from chatroom.client.encryption.words import key_changed, plain_notice
from chatroom.client.errors import Rejected
from chatroom.client.screen.window_list import WindowKind
from chatroom.client.status import Connected, SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.key_replies import KeysChanged


def equipped(stage: Stage, **states: Security) -> FakeEncryption:
    """Give the client keys; the states are those of its conversations."""
    stage.client.privacy.encryption = made = FakeEncryption(states=dict(states))
    return made


def open_bob(stage: Stage) -> None:
    """Bring bob's window to the front."""
    stage.screen.switcher.go(stage.screen.windows.open(WindowKind.PERSON, "bob"))


async def asked(stage: Stage, words: str) -> None:
    """Wait until a question with these words is open."""

    def there() -> bool:
        current = stage.screen.terminal.questions.current
        return current is not None and words in current.words

    await stage.until(there)


async def tells(stage: Stage, text: str) -> None:
    """Wait until that is on the screen, wherever its lines are broken."""
    await stage.until(lambda: text in " ".join(" ".join(stage.rows).split()))


def private(text: str, by: str = "bob", to: str = "me", seq: int = 1) -> e.Private:
    """Return a private message."""
    return e.Private(id=f"p{seq}", at=NOW * 1000, by=by, by_id=by, to=to, text=text, seq=seq)


# ---- verify ----------------------------------------------------------------------------------------------------------


def test_verify_shows_the_digits_beside_a_code_that_fits_a_usual_terminal(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage, bob=Security.ENCRYPTED)
        open_bob(stage)
        stage.type("/verify\r")
        await tells(stage, "The same? Type /verify bob ok")
        rows = [row.rstrip() for row in stage.rows]
        code = [row[:33] for row in rows if row.startswith("\u2588\u2588")]
        assert len(code) == 17
        assert {len(row) for row in code} == {33}
        groups = [row[33:].split() for row in rows if row.startswith("\u2588")]
        assert " ".join(word for row in groups for word in row if word.isdigit()) == DIGITS
        assert "Compare these digits with bob, in person or in a call" in " ".join(" ".join(row) for row in groups)

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("size", "uri"), [((80, 12), ""), ((50, 24), ""), ((80, 24), "x" * 2000), ((80, 24), "x" * 9000)]
)
def test_verify_shows_the_digits_alone_where_the_code_does_not_fit(
    tmp_path: Path, size: tuple[int, int], uri: str
) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage).uri = uri
        stage.type("/verify bob\r")
        await tells(stage, "The same? Type /verify bob ok")
        text = " ".join(" ".join(stage.rows).replace("--", " ").split())
        assert DIGITS in text
        assert "\u2588" not in text

    on_stage(tmp_path, scene, size=size)


def test_ok_verifies_the_digits_that_were_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/verify bob\r")
        await tells(stage, "/verify bob ok")
        stage.type("/verify Bob ok\r")
        await tells(stage, "Bob is verified.")
        assert encryption.did == [("confirm", "Bob", DIGITS)]

    on_stage(tmp_path, scene)


def test_ok_before_the_digits_were_shown_shows_them(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/verify bob ok\r")
        await tells(stage, "these digits were not shown before; compare them, and then type /verify bob ok again.")
        assert encryption.did == []
        assert DIGITS.split()[0] in " ".join(stage.rows)
        stage.type("/verify bob ok\r")
        await tells(stage, "bob is verified.")
        assert encryption.did == [("confirm", "bob", DIGITS)]

    on_stage(tmp_path, scene)


def test_ok_after_the_digits_have_changed_shows_the_new_ones(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/verify bob\r")
        await tells(stage, "/verify bob ok")
        encryption.digits = OTHER_DIGITS
        stage.type("/verify bob ok\r")
        await tells(stage, "the digits changed after they were shown, so bob is not verified")
        assert OTHER_DIGITS.split()[0] in " ".join(stage.rows)
        assert encryption.did == []
        stage.type("/verify bob ok\r")
        await tells(stage, "bob is verified.")
        assert encryption.did == [("confirm", "bob", OTHER_DIGITS)]

    on_stage(tmp_path, scene)


def test_a_changed_key_is_accepted_only_after_its_meaning_was_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, bob=Security.BLOCKED)
        open_bob(stage)
        stage.type("/verify\r")
        await tells(stage, "bob's key has changed, and")
        await tells(stage, "/verify bob accept writes to bob again")
        for answer, told in (
            ("n", "nothing was changed; nothing is sent to bob."),
            ("y", "bob's new key is accepted,"),
        ):
            assert encryption.did == []
            stage.type("/verify accept\r")
            await asked(stage, "Accept bob's new key? [y]es, [n]o:")
            await tells(stage, "poses as bob")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("accept", "bob", DIGITS)]

    on_stage(tmp_path, scene)


def test_a_key_that_changes_while_the_user_decides_is_not_accepted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, bob=Security.BLOCKED)
        stage.type("/verify bob accept\r")
        await asked(stage, "Accept bob's new key?")
        encryption.digits = OTHER_DIGITS
        stage.type("y\r")
        await tells(stage, "bob's key changed again meanwhile; nothing was accepted.")
        assert encryption.did == []

    on_stage(tmp_path, scene)


def test_a_key_that_has_not_changed_is_not_accepted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, bob=Security.ENCRYPTED)
        stage.type("/verify bob accept\r")
        await tells(stage, "bob's key has not changed; there is nothing to accept.")
        assert encryption.did == []

    on_stage(tmp_path, scene)


# ---- devices ---------------------------------------------------------------------------------------------------------


def test_devices_lists_this_one_and_does_not_give_the_code_of_one_that_waits(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.type("/devices\r")
        await stage.shows("--   AAAAA22222  laptop  this one", "--   BBBBB33333  phone")
        await tells(stage, "-- devices that wait to be linked; until then they get nothing:")
        await tells(stage, "CCCCC44444 tablet")
        assert NEW.code not in stage.glass.raw, "the code has to be read from the device itself"

    on_stage(tmp_path, scene)


def test_a_device_that_waits_shows_its_own_code(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage).own = [DeviceLine("CCCCC44444", "tablet", this=True, pending=True, code=NEW.code)]
        stage.type("/devices\r")
        await stage.until(lambda: f"--       /devices link {NEW.code}" in [row.rstrip() for row in stage.rows])

    on_stage(tmp_path, scene)


def test_a_device_is_linked_by_its_code(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type(f"/devices link {NEW.code}\r")
        await tells(stage, "the device is linked: it gets the messages that are sent from now on.")
        assert encryption.did == [("link", NEW.code)]

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("name", ["phone", "BBBBB33333", "bbbbb33333"])
def test_a_device_is_removed_after_the_user_has_read_what_that_means(tmp_path: Path, name: str) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        for answer, told in (("n", "nothing was changed."), ("y", "phone is removed and logged out;")):
            assert encryption.did == []
            stage.type(f"/devices remove {name}\r")
            await asked(stage, "Remove phone (BBBBB33333)?")
            await tells(stage, "are told that your key has changed")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("unlink", "BBBBB33333")]

    on_stage(tmp_path, scene)


def test_a_device_that_waits_is_hidden_without_a_question(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/devices remove tablet\r")
        await tells(stage, "tablet is not shown any more; it gets nothing.")
        assert encryption.did == [("unlink", "CCCCC44444")]

    on_stage(tmp_path, scene)


def test_of_many_devices_that_wait_some_are_shown(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.own += [DeviceLine(f"DDDDD2222{i}", f"no {i}", this=False, pending=True, code="") for i in range(9)]
        stage.type("/devices\r")
        await tells(stage, "and 2 more; a device of yours is found by its code all the same")

    on_stage(tmp_path, scene)


def test_this_device_is_renamed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/devices rename my laptop\r")
        await tells(stage, "this device has that name now; the people you write to can see it.")
        assert encryption.did == [("rename", "my laptop")]

    on_stage(tmp_path, scene)


def test_a_user_key_is_accepted_after_the_user_has_read_what_that_means(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        for answer, told in (("n", "nothing was changed."), ("y", "this device is linked to your new key:")):
            assert encryption.did == []
            stage.type("/devices accept\r")
            await asked(stage, "Was the code of this device accepted on phone (BBBBB33333)?")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("accept_user_key",)]

    on_stage(tmp_path, scene)


def test_a_linked_device_begins_anew_after_the_user_has_read_what_that_means(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        for answer, told in (("n", "nothing was changed."), ("y", "you have new keys.")):
            assert encryption.did == []
            stage.type("/keys reset\r")
            await asked(stage, "Begin anew with new keys?")
            await tells(stage, "somebody else has a copy of your keys")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("reset",)]

    on_stage(tmp_path, scene)


def test_a_recovery_key_is_not_asked_for_if_there_is_nothing_that_it_opens(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1", 0, False, False, "1")
        stage.type("/keys recover\r")
        await tells(stage, "The server has nothing that a recovery key opens")
        assert encryption.did == []

    on_stage(tmp_path, scene)


def test_a_refusal_of_the_server_is_not_told_as_no_recovery_key(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1", 0, False, False, "1", refused="that was very often; try again in 1 hour.")
        stage.type("/keys recover\r")
        await tells(stage, "try again in 1 hour")
        assert encryption.did == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("laptop", "that is this device; remove it from another one."),
        ("fridge", "you have no device fridge; /devices lists them."),
        ("twin", "more than one device is called twin; give its id, as in /devices."),
    ],
)
def test_another_device_is_not_removed(tmp_path: Path, name: str, told: str) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.own += [DeviceLine(i * 10, "twin", this=False, pending=False, code="") for i in "DE"]
        stage.type(f"/devices remove {name}\r")
        await tells(stage, told)
        assert encryption.did == []

    on_stage(tmp_path, scene)


# ---- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (KeyState("F1F2", 2, recovery=False, linked=True, code=""), "recovery key: none; /keys recovery makes one"),
        (KeyState("F1F2", 1, recovery=True, linked=True, code=""), "recovery key: set; /keys recovery makes a new one"),
        (KeyState("F1F2", 2, False, True, "", refused="try in 1 hour."), "recovery key: not known; try in 1 hour."),
        (KeyState("F1F2", 2, recovery=True, linked=False, code="K7Q2M"), "here, type /keys recover, and then your"),
    ],
)
def test_keys_says_how_things_are(tmp_path: Path, state: KeyState, told: str) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage).state = state
        stage.type("/keys\r")
        await tells(stage, told)
        await tells(stage, "this device: F1F2")
        await tells(stage, "the keys of 1 person" if state.contacts == 1 else "the keys of 2 people")

    on_stage(tmp_path, scene)


def test_the_recovery_key_is_shown_once_and_stays_in_no_window(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type("/keys recovery\r")
        await asked(stage, "Make the recovery key?")
        assert encryption.did == []
        stage.type("y\r")
        await stage.until(lambda: any(RECOVERY_KEY in row for row in stage.rows))
        stage.type("\r")
        await tells(stage, "the recovery key is set.")
        assert RECOVERY_KEY not in "\n".join(stage.rows)
        lines = [line.text for window in stage.screen.windows for line in window.lines]
        assert not [line for line in lines if RECOVERY_KEY in line]
        assert encryption.did == [("recovery",)]

    on_stage(tmp_path, scene)


def test_no_recovery_key_is_made_if_the_user_says_no(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1F2", 2, recovery=True, linked=True, code="")
        stage.type("/keys recovery\r")
        await asked(stage, "The one that you have ends. Make a new recovery key?")
        stage.type("n\r")
        await tells(stage, "nothing was changed.")
        assert encryption.did == []

    on_stage(tmp_path, scene)


def test_the_recovery_key_is_hidden_while_it_is_typed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1F2 F3F4 F5F6", contacts=2, recovery=True, linked=False, code="1")
        stage.type("/keys recover\r")
        await asked(stage, "Recovery key:")
        stage.type(f"{RECOVERY_KEY}\r")
        await tells(stage, "this device is linked")
        assert encryption.did == [("recover", RECOVERY_KEY)]
        assert RECOVERY_KEY not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_room_keys_are_exported_with_a_passphrase_that_is_typed_twice(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        file = tmp_path / "my keys"
        stage.type(f"/keys export {file}\r")
        for first, second, told in (
            ("short", "", "the passphrase needs at least 8 characters; nothing was written."),
            ("long enough", "long enouhg", "the two are not the same; nothing was written."),
            ("long enough", "long enough", "12 keys were written to"),
        ):
            assert encryption.did == []
            await asked(stage, "Passphrase for the file:")
            stage.type(f"{first}\r")
            if second:
                await asked(stage, "The same again:")
                stage.type(f"{second}\r")
            await tells(stage, told)
        assert encryption.did == [("export", file, "long enough")]
        assert "long enough" not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_room_keys_are_imported(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.type(f"/keys import {tmp_path}/k\r")
        await tells(stage, "that can be read.")
        (tmp_path / "k").write_text("keys")
        stage.type(f"/keys import {tmp_path}/k\r")
        await asked(stage, "Passphrase of the file:")
        stage.type("long enough\r")
        await tells(stage, "1 key was read.")
        assert encryption.did == [("import", tmp_path / "k", "long enough")]
        for found, told in (
            ((3, 11), "3 keys were read; 8 more were here already."),
            ((0, 11), "all 11 keys of the file were here already."),
            ((0, 1), "the key of the file was here already."),
            ((0, 0), "the file has no keys."),
        ):
            encryption.imported = found
            stage.type(f"/keys import {tmp_path}/k\r")
            await asked(stage, "Passphrase of the file:")
            stage.type("long enough\r")
            await tells(stage, told)
        assert "long enough" not in stage.glass.raw

    on_stage(tmp_path, scene)


def test_new_keys_are_made_only_after_their_meaning_was_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1F2", 2, recovery=False, linked=False, code="K7Q2M")
        for answer, told in (("n", "nothing was changed."), ("y", "you have new keys.")):
            assert encryption.did == []
            stage.type("/keys reset\r")
            await asked(stage, "Begin anew with new keys?")
            await tells(stage, "are told that your key has changed")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("reset",)]

    on_stage(tmp_path, scene)


def test_plain_text_is_accepted_only_after_its_meaning_was_read(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, bob=Security.VERIFIED)
        open_bob(stage)
        for answer, told in (("n", "nothing was changed."), ("y", "messages to bob may go in plain text now;")):
            assert encryption.did == []
            stage.type("/keys plain\r")
            await asked(stage, "Write to bob in plain text from now on?")
            await tells(stage, "the server can read what you write to bob")
            stage.type(f"{answer}\r")
            await tells(stage, told)
        assert encryption.did == [("plain", "bob")]

    on_stage(tmp_path, scene)


# ---- direct links ----------------------------------------------------------------------------------------------------


def test_addresses_are_named_before_anything_is_revealed(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.client.privacy.links = links = FakeLinks()
        stage.type("/direct bob\r")
        await tells(stage, "It shows bob the addresses of this computer: 192.0.2.7, 2001:db8::7.")
        assert links.did == []
        stage.type("/direct bob yes\r")
        await tells(stage, "a direct link with bob is made when both of you agree")
        assert links.did == [("agree", "bob", ["192.0.2.7", "2001:db8::7"])]

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("before", [False, True])
def test_yes_reveals_no_address_that_was_not_named(tmp_path: Path, before: bool) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.client.privacy.links = links = FakeLinks()
        if before:
            stage.type("/direct bob\r")
            await tells(stage, "192.0.2.7")
            links.own = [*links.own, "198.51.100.9"]
        stage.type("/direct bob yes\r")
        await asked(stage, "Show bob these addresses?")
        assert links.did == []
        await stage.until(lambda: all(address in " ".join(stage.rows) for address in links.own))
        stage.type("n\r")
        await tells(stage, "no direct link with bob; bob learns no address of yours.")
        assert links.did == []

    on_stage(tmp_path, scene)


def test_who_agrees_to_the_addresses_at_once_types_nothing_again(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.client.privacy.links = links = FakeLinks()
        stage.type("/direct bob yes\r")
        await asked(stage, "Show bob these addresses?")
        stage.type("y\r")
        await tells(stage, "a direct link with bob is made when both of you agree")
        assert links.did == [("agree", "bob", links.own)]

    on_stage(tmp_path, scene)


def test_what_a_link_waits_for_is_told_before_it_can_be_made(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        told: list[str] = []

        class Quick(FakeLinks):
            """Links that are made at once."""

            async def agree(self, user: str, addresses: list[str]) -> None:
                told.append("it is made")

        stage.client.privacy.links = Quick()
        stage.screen.encryption._commands._direct._dialogue = Dialogue(told.append, lambda *found: None)
        for line in ("/direct bob", "/direct bob yes"):
            stage.type(f"{line}\r")
        await stage.until(lambda: "it is made" in told)
        assert "when both of you agree" in told[-2]

    on_stage(tmp_path, scene)


def test_a_link_is_refused_and_ended(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.client.privacy.links = links = FakeLinks()
        open_bob(stage)
        stage.type("/direct no\r")
        await tells(stage, "no direct link with bob; bob learns no address of yours.")
        stage.type("/direct off\r")
        await tells(stage, "messages to bob are relayed by the server, encrypted as before.")
        links.own = []
        stage.type("/direct\r")
        await tells(stage, "this computer has no address that bob could reach; messages are relayed.")
        assert links.did == [("refuse", "bob"), ("end", "bob")]

    on_stage(tmp_path, scene)


# ---- typed wrongly ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/verify", "usage: /verify <user> [ok|accept]."),
        ("/verify bob maybe", "usage: /verify <user> [ok|accept]."),
        ("/verify nobody", "nobody has no keys."),
        ("/devices link", "usage: /devices [link|remove|rename|accept] [code, device or name]."),
        ("/devices paint it", "usage: /devices [link|remove|rename|accept]"),
        ("/devices rename", "usage: /devices [link|remove|rename|accept]"),
        ("/devices accept phone", "usage: /devices [link|remove|rename|accept]"),
        ("/keys recovery now", "usage: /keys [recovery|recover|reset|export|import|plain]"),
        ("/keys lost", "usage: /keys [recovery"),
        ("/keys plain", "usage: /keys [recovery"),
        ("/keys recover", "This device is linked, so it has your keys;"),
        ("/keys export", "name a file: /keys export room-keys.txt"),
        ("/keys import", "name a file: /keys import room-keys.txt"),
        ("/keys plain Bea", "messages to Bea go in plain text already."),
        ("/direct", "usage: /direct <user> [yes|no|off]."),
        ("/help verify", "/verify <user> [ok|accept]: show the digits to compare with a person;"),
    ],
)
def test_what_is_typed_wrongly_is_explained(tmp_path: Path, line: str, told: str) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, Bea=Security.PLAIN)
        stage.client.privacy.links = FakeLinks()
        stage.type(f"{line}\r")
        await tells(stage, told)
        assert encryption.did == []

    on_stage(tmp_path, scene)


@pytest.mark.parametrize("line", ["/verify bob", "/devices", "/keys", "/direct bob"])
def test_a_client_without_keys_says_so(tmp_path: Path, line: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.type(f"{line}\r")
        await tells(stage, "this client has no keys, so it encrypts nothing; see docs/security.md.")

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("/verify bo", "/verify bob "),
        ("/verify bob o", "/verify bob ok "),
        ("/devices l", "/devices link "),
        ("/keys recoveru\b", "/keys recover"),
        ("/keys plain Be", "/keys plain Bea "),
        ("/direct bob y", "/direct bob yes "),
    ],
)
def test_tab_completes(tmp_path: Path, typed: str, line: str) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        stage.type(f"{typed}\t")
        await stage.until(lambda: stage.screen.terminal.line.text == line)

    on_stage(tmp_path, scene)


# ---- the bar ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "path", "shown"),
    [
        (Security.ENCRYPTED, LinkPath.NONE, "| encrypted |"),
        (Security.VERIFIED, LinkPath.DIRECT, "| verified, direct |"),
        (Security.ENCRYPTED, LinkPath.RELAYED, "| encrypted, relayed |"),
        (Security.PLAIN, LinkPath.NONE, "2:@bob | plain | me"),
        (Security.BLOCKED, LinkPath.NONE, "| blocked |"),
        (Security.NOT_LINKED, LinkPath.NONE, "| not linked |"),
        (Security.NO_KEYS, LinkPath.NONE, "| no keys |"),
        (Security.UNKNOWN, LinkPath.NONE, "2:@bob | me"),
    ],
)
def test_the_bar_says_who_can_read_a_conversation(tmp_path: Path, state: Security, path: LinkPath, shown: str) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage, bob=state)
        stage.client.privacy.links = FakeLinks(paths={"bob": path})
        stage.screen.windows.open(WindowKind.ROOM, "lobby")
        open_bob(stage)
        await stage.until(lambda: shown in stage.rows[-1])

    on_stage(tmp_path, scene)


def test_the_bar_says_how_a_person_is_written_to_before_the_first_message(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.served["bob"] = Security.PLAIN
        open_bob(stage)
        await stage.until(lambda: "| plain | me" in stage.rows[-1])
        encryption.served["bob"] = Security.ENCRYPTED
        stage.tell(KeysChanged(user="bob", user_id="b", rev=1))
        await stage.until(lambda: "| encrypted | me" in stage.rows[-1])
        encryption.served["bob"] = Security.BLOCKED
        stage.tell(Connected("chatroom", "me", guest=True, security="plain", again=True))
        await stage.until(lambda: "| blocked" in stage.rows[-1])
        stage.screen.switcher.go(stage.screen.windows.server)
        assert encryption.learned == ["bob"] * 3

    on_stage(tmp_path, scene)


def test_the_bar_says_that_a_room_is_encrypted_however_many_windows_there_are(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage).rooms.add("lobby")
        stage.screen.switcher.go(stage.screen.windows.open(WindowKind.ROOM, "lobby"))
        stage.screen.terminal.refresh()
        await stage.until(lambda: "| e2e |" in stage.rows[-1])
        for number in range(30):
            stage.screen.windows.open(WindowKind.PERSON, f"person{number}")
        stage.screen.terminal.refresh()
        await stage.until(lambda: "+2" in stage.rows[-1])
        assert "| e2e" in stage.rows[-1]

    on_stage(tmp_path, scene)


def test_the_bar_has_no_word_where_nothing_is_encrypted(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.screen.windows.open(WindowKind.ROOM, "lobby")
        open_bob(stage)
        await stage.until(lambda: "2:@bob | me" in stage.rows[-1])
        equipped(stage, server=Security.VERIFIED)
        stage.screen.switcher.go(stage.screen.windows.server)
        stage.type("x")
        await stage.until(lambda: stage.rows[-2].endswith("x"))
        assert "verified" not in stage.rows[-1], "somebody called server is not the server"

    on_stage(tmp_path, scene)


# ---- marks -----------------------------------------------------------------------------------------------------------


def test_only_messages_that_differ_from_their_conversation_are_marked(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage, bob=Security.VERIFIED, Bea=Security.PLAIN)
        plain = private("in the clear", seq=2)
        letter = private("sealed", by="Bea", seq=3)
        postcard = private("open", by="Bea", seq=4)
        encryption.plain_events += [plain, postcard]
        stage.tell(private("hidden"), plain, letter, postcard)
        open_bob(stage)
        await stage.shows("bob: hidden", "bob (plain): in the clear")
        stage.screen.switcher.go(stage.screen.windows.open(WindowKind.PERSON, "Bea"))
        await stage.shows("Bea (encrypted): sealed", "Bea: open")

    on_stage(tmp_path, scene)


def test_plain_messages_of_an_encrypted_room_are_marked(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.rooms.add("lobby")
        old = said("before", seq=1)
        encryption.plain_events.append(old)
        stage.tell(old, said("after", seq=2))
        await stage.shows("bob (plain): before", "bob: after")
        stage.tell(a.History("lobby", [old], complete=True))
        await stage.until(lambda: sum("bob (plain): before" in row for row in stage.rows) == 2)

    on_stage(tmp_path, scene)


def test_a_client_without_keys_marks_nothing(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.tell(said("hello"))
        await stage.shows("bob: hello")

    on_stage(tmp_path, scene)


# ---- notices ---------------------------------------------------------------------------------------------------------


def test_a_notice_stands_in_the_window_of_its_person(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        equipped(stage)
        window = stage.screen.windows.open(WindowKind.PERSON, "bob")
        stage.tell(SecurityNotice(plain_notice("bob"), user="bob"))
        stage.tell(SecurityNotice(key_changed("bob"), user="bob", alarm=True))
        texts = [line.text for line in window.lines]
        assert texts[-2:] == ["-- To bob in plain text: the server can read it.", f"Error: {key_changed('bob')}"]
        stage.tell(SecurityNotice("of nobody's window", user="carol"))
        await stage.shows("-- of nobody's window")

    on_stage(tmp_path, scene)


def test_the_passphrase_of_other_keys_is_asked_for_hidden_before_all_other_questions(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ask = stage.client.privacy.ask_passphrase
        assert ask is not None
        name = stage.screen.terminal.questions.ask("Your name: ")
        await asked(stage, "Your name:")
        answers: list[str] = []
        Deferred.fromCoroutine(ask()).addCallback(answers.append)  # type: ignore[arg-type]
        await asked(stage, "The passphrase of these keys is another one (Enter alone leaves):")
        stage.type("open sesame\r")
        await asked(stage, "Your name:")
        assert stage.client.did == []
        assert not name.called
        assert "sesame" not in stage.glass.raw
        name.addErrback(lambda failure: None)
        assert answers == ["open sesame"]

    on_stage(tmp_path, scene)


def test_whoever_does_not_know_it_leaves_and_gets_no_prompt_that_shows_it(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        ask = stage.client.privacy.ask_passphrase
        assert ask is not None
        left: list[bool] = []
        stage.screen.encryption._leave = lambda: left.append(True)
        answers: list[str] = []
        Deferred.fromCoroutine(ask()).addCallback(answers.append)  # type: ignore[arg-type]
        await asked(stage, "The passphrase of these keys is another one")
        stage.type("\r")
        await stage.until(lambda: answers == [""])
        assert left

    on_stage(tmp_path, scene)


@pytest.mark.parametrize(
    ("line", "question", "code"),
    [
        ("/keys recover", "Recovery key:", "mistyped"),
        ("/keys recover", "Recovery key:", "wrong-recovery-key"),
        ("/keys import k", "Passphrase of the file:", "wrong-passphrase"),
    ],
)
def test_a_secret_that_was_refused_is_asked_for_again_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, question: str, code: str
) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        encryption.state = KeyState("F1F2 F3F4 F5F6", contacts=2, recovery=True, linked=False, code="1")
        encryption.refusals = [Rejected(code, "That is not it.")]
        stage.type(f"{line}\r")
        for typed in ("wr0ng one", "the r1ght one"):
            await asked(stage, question)
            stage.type(f"{typed}\r")
            await stage.until(lambda typed=typed: encryption.did[-1:] and encryption.did[-1][-1] == typed)
        await stage.until(lambda: stage.screen.terminal.questions.current is None)
        await tells(stage, "That is not it.")
        assert stage.client.said == []
        for secret in ("wr0ng", "r1ght"):
            assert secret not in stage.glass.raw

    (tmp_path / "k").write_text("keys")
    monkeypatch.chdir(tmp_path)
    on_stage(tmp_path, scene)


@pytest.mark.parametrize("room", ["lobby", ""])
def test_a_device_that_is_not_linked_says_so_in_every_window(tmp_path: Path, room: str) -> None:
    async def scene(stage: Stage) -> None:
        encryption = equipped(stage)
        stage.client.room = room
        if not room:
            stage.screen.switcher.go(stage.screen.windows.numbered(0))
        encryption.state = KeyState("F1F2", 2, recovery=False, linked=False, code="K7Q2M")
        stage.screen.terminal.refresh()
        await stage.until(lambda: "device not linked" in stage.rows[-1])
        encryption.state = KeyState("F1F2", 2, recovery=False, linked=True, code="")
        stage.screen.terminal.refresh()
        await stage.until(lambda: "not linked" not in stage.rows[-1])

    on_stage(tmp_path, scene)
