"""``/keys``: the state of the user's keys, the recovery key, and files with the keys of rooms' messages."""

from __future__ import annotations

from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import Security, UserEncryption
from chatroom.client.encryption.words import (
    NO_BACKUP,
    NOTHING_TO_RECOVER,
    accepting_plain,
    not_given,
    only_accounts,
    state_of_keys,
)
from chatroom.client.errors import Rejected
from chatroom.client.paths import expanded, is_there, spelled

SHORTEST = 8  # characters of a passphrase: whoever gets the file can try many of them
_NO_FILE = "name a file: /keys {word} room-keys.txt"
_TO_IMPORT = "Such a file is made by /keys export room-keys.txt on another device of yours."
RECOVERY = (
    "The recovery key links a new device if you have lost all others. Write it on paper: it is shown once, and kept "
    "nowhere. Whoever has it and your password can read what is sent to you."
)

RESETTING = (
    "This is for when you have lost all linked devices and the recovery key, or when somebody else has a copy of your "
    "keys. You get new keys: your other devices are not linked any more until you link them again by their codes, your "
    "recovery key ends, and the people you write to are told that your key has changed, and have to accept it."
)

ONLY_ACCOUNTS = {
    "recovery": "have a recovery key",
    "recover": "have a recovery key",
    "reset": "begin anew with other keys",
}


class KeyCommand:
    """Carries out ``/keys``.

    Args:
        dialogue: Talks with the user.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    async def run(self, encryption: UserEncryption, word: str, rest: str) -> None:
        """Show the state of the keys, or do what the word says.

        Args:
            encryption: Has the keys.
            word: ``recovery``, ``recover``, ``reset``, ``export``, ``import``, ``plain`` or empty.
            rest: The file, or for ``plain`` the user.

        Raises:
            Rejected: It cannot be done.
        """
        if word in ONLY_ACCOUNTS and encryption.guest():
            raise Rejected("guest", only_accounts(ONLY_ACCOUNTS[word]))
        match word:
            case "recovery":
                await self._make_recovery_key(encryption)
            case "recover":
                await self._recover(encryption)
            case "reset":
                await self._reset(encryption)
            case "export":
                await self._export(encryption, rest)
            case "import":
                await self._import(encryption, rest)
            case "plain":
                await self._accept_plain(encryption, rest)
            case _:
                self._dialogue.say("\n".join(state_of_keys(await encryption.keys(), encryption.guest())))

    async def _make_recovery_key(self, encryption: UserEncryption) -> None:
        """Show a new recovery key in a question, so that it stays in no window and not on the terminal."""
        state = await encryption.keys()
        if not state.linked:
            raise Rejected("not-linked", "this device is not linked; /devices says how to link it.")
        self._dialogue.say(RECOVERY)
        once = "The one that you have ends. " if state.recovery else ""
        once = "If you have one, it ends. " if state.refused else once
        if not await self._dialogue.agrees(f"{once}Make {'a new' if once else 'the'} recovery key?"):
            self._dialogue.say("nothing was changed.")
            return
        key = await encryption.new_recovery_key()
        try:
            await self._dialogue.ask(f"{key}  (Enter when you have written it down)", enter=True)
        finally:
            self._dialogue.say("the recovery key is set. If it was not written down, make another: /keys recovery.")

    async def _recover(self, encryption: UserEncryption) -> None:
        """Link this device with the recovery key, which is asked for only if it can be of use."""
        state = await encryption.keys()
        if state.linked:
            raise Rejected("is-linked", NOTHING_TO_RECOVER)
        if state.refused:
            raise Rejected("refused", not_given(state.refused))
        if not state.recovery:
            raise Rejected("no-recovery", NO_BACKUP)
        await self._dialogue.secret("Recovery key: ", encryption.recover)
        self._dialogue.say("this device is linked: it gets the messages that are sent from now on.")

    async def _reset(self, encryption: UserEncryption) -> None:
        """Begin anew with a new user key, if the user says so."""
        self._dialogue.say(RESETTING)
        if not await self._dialogue.agrees("Begin anew with new keys?"):
            self._dialogue.say("nothing was changed.")
            return
        await encryption.reset()
        self._dialogue.say(
            "you have new keys. Your other devices show codes now: /devices link and such a code links one again. Make "
            "a recovery key for the next time: /keys recovery."
        )

    async def _export(self, encryption: UserEncryption, file: str) -> None:
        if not file:
            raise Rejected("usage", _NO_FILE.format(word="export"))
        path = expanded(file)
        if is_there(path):
            raise Rejected("exists", f"{spelled(path)} exists already; give the name of a new file.")
        passphrase = await self._dialogue.secret("Passphrase for the file: ", self._typed_twice)
        number = await encryption.export_keys(path, passphrase)
        self._dialogue.say(
            f"{_keys(number)} written to {spelled(path)}, encrypted. Bring the file to another device of yours, and "
            f"type /keys import there with its name: then that device reads what was said in encrypted rooms before."
        )

    async def _typed_twice(self, passphrase: str) -> str:
        """Return a passphrase if it is long enough, and the user types it once more."""
        if len(passphrase) < SHORTEST:
            raise Rejected("too-short", f"the passphrase needs at least {SHORTEST} characters; nothing was written.")
        if await self._dialogue.ask("The same again: ", secret=True) != passphrase:
            raise Rejected("not-the-same", "the two are not the same; nothing was written.")
        return passphrase

    async def _import(self, encryption: UserEncryption, file: str) -> None:
        if not file:
            raise Rejected("usage", f"{_NO_FILE.format(word='import')}. {_TO_IMPORT}")
        path = expanded(file)
        if not is_there(path):
            raise Rejected("no-file", f"there is no file {spelled(path)} that can be read. {_TO_IMPORT}")
        new, all = await self._dialogue.secret(
            "Passphrase of the file: ", lambda passphrase: encryption.import_keys(path, passphrase)
        )
        self._dialogue.say(_taken(new, all - new))

    async def _accept_plain(self, encryption: UserEncryption, user: str) -> None:
        """Let messages go in plain text to somebody with whom they were encrypted, if the user says so."""
        if encryption.status(user) is Security.PLAIN:
            raise Rejected("is-plain", f"messages to {user} go in plain text already.")
        self._dialogue.say(accepting_plain(user))
        if not await self._dialogue.agrees(f"Write to {user} in plain text from now on?"):
            self._dialogue.say("nothing was changed.")
            return
        await encryption.accept_plain(user)
        self._dialogue.say(f"messages to {user} may go in plain text now; they are encrypted when {user} has keys.")


def _keys(number: int) -> str:
    return "1 key was" if number == 1 else f"{number} keys were"


def _taken(new: int, old: int) -> str:
    """Return what came of a file of keys, given how many were new, and how many were here already."""
    if not new:
        return {0: "the file has no keys.", 1: "the key of the file was here already."}.get(
            old, f"all {old} keys of the file were here already."
        )
    return f"{_keys(new)} read{f'; {old} more were here already' if old else ''}."
