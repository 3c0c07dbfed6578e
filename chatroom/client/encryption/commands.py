"""The commands for encryption, as people type them on the screen and in a pipe."""

from __future__ import annotations

from chatroom.client.encryption.device_command import DeviceCommand
from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.direct_command import DirectCommand
from chatroom.client.encryption.interface import Privacy
from chatroom.client.encryption.key_command import KeyCommand
from chatroom.client.encryption.verify_command import VerifyCommand
from chatroom.client.encryption.words import NO_KEYS
from chatroom.client.errors import Rejected

USAGES = {
    "verify": (
        "/verify <user> [ok|accept]",
        "show the digits to compare with a person; ok: they are the same; accept: take a changed key all the same",
    ),
    "devices": (
        "/devices [link|remove|rename|accept] [code, device or name]",
        "list your devices with keys; link one, remove one, name this one; accept a new key from one",
    ),
    "keys": (
        "/keys [recovery|recover|reset|export|import|plain] [path or user]",
        "show your keys; make or use a recovery key; begin anew; save or read room keys; write to somebody in plain",
    ),
    "direct": (
        "/direct <user> [yes|no|off]",
        "link to a person's computer; alone, it names the addresses that this shows",
    ),
}
WAYS = {
    "verify": (
        ("/verify bob", "show the digits to compare with bob"),
        ("/verify bob ok", "they are the same: mark bob as verified"),
        ("/verify bob accept", "take bob's changed key without comparing"),
    ),
    "devices": (
        ("/devices", "list your devices, and on a new one show its code"),
        ("/devices link CODE", "link the new device that shows this code"),
        ("/devices remove phone", "remove a device; you get a new user key"),
        ("/devices rename laptop", "name this device"),
        ("/devices accept", "take the new user key that another device has sent"),
    ),
    "keys": (
        ("/keys", "show how your keys are"),
        ("/keys recovery", "make a recovery key, and show it once"),
        ("/keys recover", "link this device with the recovery key"),
        ("/keys reset", "begin anew with other keys"),
        ("/keys export FILE", "save the keys of encrypted rooms, for another device of yours"),
        ("/keys import FILE", "read what /keys export has saved on another device of yours"),
        ("/keys plain bob", "write to bob in plain text although it was encrypted before"),
    ),
    "direct": (
        ("/direct bob", "name the addresses that a link would show to bob"),
        ("/direct bob yes", "ask bob for a link, or agree to one"),
        ("/direct bob no", "refuse the link that bob asks for"),
        ("/direct bob off", "end the link"),
    ),
}
"""What ``/help`` says of the words of each command: how it is typed, and what that does."""
_WORDS = {"verify": ("ok", "accept"), "direct": ("yes", "no", "off")}
_OF_DEVICES = ("link", "remove", "rename")  # these words of /devices take something after them
_ALONE = ("", "recovery", "recover", "reset")  # these words of /keys take nothing after them
_KEYS = (*_ALONE, "export", "import", "plain")


class EncryptionCommands:
    """Carries out the commands.

    Args:
        privacy: What encrypts messages.
        dialogue: Talks with the user.
    """

    def __init__(self, privacy: Privacy, dialogue: Dialogue) -> None:
        self._privacy = privacy
        self._verify = VerifyCommand(dialogue)
        self._devices = DeviceCommand(dialogue)
        self._keys = KeyCommand(dialogue)
        self._direct = DirectCommand(dialogue)

    async def run(self, word: str, rest: str, person: str = "") -> None:
        """Carry out a command, and return when it is done. While our keys are on their way, it waits for them.

        Args:
            word: The command, one of ``USAGES``.
            rest: What was typed after it.
            person: Who is meant if nobody is named: the person of the window; empty for nobody.

        Raises:
            Rejected: The command is typed wrongly, or cannot be carried out.
        """
        await self._privacy.settled()
        encryption, links = self._privacy.encryption, self._privacy.links
        if encryption is None or (word == "direct" and links is None):
            raise Rejected("no-keys", NO_KEYS)
        first, _, more = rest.strip().partition(" ")
        more = more.strip()
        if word == "devices":
            _check(word, bool(more) if first.lower() in _OF_DEVICES else first.lower() in ("", "accept") and not more)
            await self._devices.run(encryption, first.lower(), more)
        elif word == "keys":
            await self._keys.run(encryption, first.lower(), _argument(first.lower(), more, person))
        elif word == "verify":
            await self._verify.run(encryption, *_person_and_word(word, first, more, person))
        elif links is not None:
            await self._direct.run(links, *_person_and_word(word, first, more, person))


def _check(word: str, right: bool) -> None:
    """Raise ``Rejected`` with a command's usage, unless it was typed rightly."""
    if not right:
        raise Rejected("usage", f"usage: {USAGES[word][0]}.")


def _argument(word: str, more: str, person: str) -> str:
    """Return the file or the person after a word of ``/keys``."""
    more = more or (person if word == "plain" else "")
    _check("keys", word in _KEYS and (not more if word in _ALONE else bool(more) or word != "plain"))
    return more.removeprefix("@") if word == "plain" else more


def _person_and_word(command: str, first: str, more: str, person: str) -> tuple[str, str]:
    """Return the person that is meant and the word after it; in the window of a person, the person can be left out."""
    words = _WORDS[command]
    if person and not more and first.lower() in ("", *words):
        return person, first.lower()
    _check(command, bool(first) and more.lower() in ("", *words))
    return first.removeprefix("@"), more.lower()
