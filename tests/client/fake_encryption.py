"""A stand-in for the encryption of a client: it remembers what it was asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatroom.client.encryption.interface import DeviceLine, KeyState, LinkPath, Security, Verification
from chatroom.client.encryption.square_code import code_text
from chatroom.client.errors import Rejected

DIGITS = " ".join(str(number) * 5 for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2))
OTHER_DIGITS = " ".join(["99999"] * 12)
LAPTOP = DeviceLine("AAAAA22222", "laptop", this=True, pending=False, code="")
PHONE = DeviceLine("BBBBB33333", "phone", this=False, pending=False, code="")
NEW = DeviceLine("CCCCC44444", "tablet", this=False, pending=True, code="K7Q2M XY3ZA")
STATE = KeyState("F1F2 F3F4 F5F6", contacts=2, recovery=False, linked=True, code="")
RECOVERY_KEY = "ABCDE FGHIJ KLMNO PQRST UVWXY Z"


@dataclass
class FakeEncryption:
    """What an ``Encryption`` is to the screen and the pipe.

    Attributes:
        states: How messages to people are protected, by name.
        rooms: The encrypted rooms.
        digits: The digits of everybody.
        verified: Who is verified.
        did: What was asked for, with its arguments.
        own: The user's devices.
        state: The state of the keys.
        plain_events: Events that came in plain text.
        served: What ``states`` becomes for a person when the server is asked about that person.
        learned: About whom the server was asked.
        guest_name: Our name, if we are a guest.
        imported: How many keys of a file are new, and how many it has.
        refusals: What the next secrets are refused with.
    """

    states: dict[str, Security] = field(default_factory=dict)
    rooms: set[str] = field(default_factory=set)
    digits: str = DIGITS
    uri: str = ""
    verified: set[str] = field(default_factory=set)
    did: list[tuple[Any, ...]] = field(default_factory=list)
    own: list[DeviceLine] = field(default_factory=lambda: [LAPTOP, PHONE, NEW])
    state: KeyState = STATE
    plain_events: list[Any] = field(default_factory=list)
    served: dict[str, Security] = field(default_factory=dict)
    learned: list[str] = field(default_factory=list)
    guest_name: str = ""
    imported: tuple[int, int] = (1, 1)
    refusals: list[Rejected] = field(default_factory=list)

    def guest(self) -> str:
        """Return what the test has said."""
        return self.guest_name

    def status(self, user: str) -> Security:
        """Return what the test has said."""
        return self.states.get(user, Security.UNKNOWN)

    def unlinked(self) -> bool:
        """Return whether the state says so."""
        return not self.state.linked

    def room_encrypted(self, room: str) -> bool:
        """Return what the test has said."""
        return room in self.rooms

    def room_word(self, room: str) -> str:
        """Return what the bar says."""
        return "e2e" if room in self.rooms else ""

    def sealed(self, event: Any) -> bool:
        """Return whether the test has not said that it is plain."""
        return event not in self.plain_events

    async def learn(self, user: str) -> Security:
        """Remember it; the server says what the test has put into ``served``."""
        self.learned.append(user)
        self.states.update({user: self.served[user]} if user in self.served else {})
        return self.status(user)

    async def verify(self, user: str) -> Verification:
        """Return the digits."""
        if user == "nobody":
            raise Rejected("no-keys", "nobody has no keys.")
        return Verification(self.digits, self.uri or code_text(self.digits), user in self.verified, "me")

    async def confirm(self, user: str, digits: str) -> None:
        """Remember it."""
        self.did.append(("confirm", user, digits))

    async def accept(self, user: str, digits: str) -> None:
        """Remember it."""
        self.did.append(("accept", user, digits))

    async def accept_plain(self, user: str) -> None:
        """Remember it."""
        self.did.append(("plain", user))

    async def devices(self) -> list[DeviceLine]:
        """Return the devices."""
        return self.own

    async def link(self, code: str) -> None:
        """Remember it."""
        self.did.append(("link", code))

    async def unlink(self, device: str) -> None:
        """Remember it."""
        self.did.append(("unlink", device))

    async def rename(self, label: str) -> None:
        """Remember it."""
        self.did.append(("rename", label))

    async def sender_of_user_key(self) -> tuple[str, str]:
        """Return the other device."""
        return PHONE.label, PHONE.device

    async def accept_user_key(self) -> None:
        """Remember it."""
        self.did.append(("accept_user_key",))

    async def new_recovery_key(self) -> str:
        """Return the recovery key."""
        self.did.append(("recovery",))
        return RECOVERY_KEY

    async def recover(self, key: str) -> None:
        """Remember it."""
        self.did.append(("recover", key))
        self._refuse()

    async def reset(self) -> None:
        """Remember it."""
        self.did.append(("reset",))

    async def export_keys(self, path: Path, passphrase: str) -> int:
        """Remember it."""
        self.did.append(("export", path, passphrase))
        return 12

    async def import_keys(self, path: Path, passphrase: str) -> tuple[int, int]:
        """Remember it."""
        self.did.append(("import", path, passphrase))
        self._refuse()
        return self.imported

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)

    async def keys(self) -> KeyState:
        """Return the state."""
        return self.state


@dataclass
class FakeLinks:
    """What makes direct links.

    Attributes:
        own: Our addresses.
        paths: Which way messages take, by name.
        did: What was asked for, with its arguments.
    """

    own: list[str] = field(default_factory=lambda: ["192.0.2.7", "2001:db8::7"])
    paths: dict[str, LinkPath] = field(default_factory=dict)
    did: list[tuple[Any, ...]] = field(default_factory=list)

    def path(self, user: str) -> LinkPath:
        """Return what the test has said."""
        return self.paths.get(user, LinkPath.NONE)

    async def addresses(self, user: str) -> list[str]:
        """Return our addresses."""
        return list(self.own)

    async def agree(self, user: str, addresses: list[str]) -> None:
        """Remember it."""
        self.did.append(("agree", user, addresses))

    async def refuse(self, user: str) -> None:
        """Remember it."""
        self.did.append(("refuse", user))

    async def end(self, user: str) -> None:
        """Remember it."""
        self.did.append(("end", user))
