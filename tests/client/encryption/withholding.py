"""A server that withholds messages of the encrypted room ``den``, and what is told of it."""

from __future__ import annotations

from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson


def say(person: KeyPerson, *texts: str) -> None:
    """Say something in the room."""
    for text in texts:
        person.say_in("den", text)
        person.network.flow()


def missing(*people: KeyPerson) -> list[str]:
    """Return what was told of missing messages."""
    return [text for person in people for text in person.notices if "missing before" in text]


def lost(number: int, by: str = "Alice") -> list[str]:
    """Return what is to be told of missing messages."""
    some = "1 message" if number == 1 else f"{number} messages"
    return [f"{some} of {by} {'is' if number == 1 else 'are'} missing before this one."] if number else []


class Withholding:
    """A server that does not give somebody some sealed messages.

    Args:
        person: Gets them not.

    Attributes:
        on: Whether messages are withheld now.
        keys: Whether mail, which has the keys, is withheld now.
        most: How many records are withheld at most.
    """

    def __init__(self, person: KeyPerson) -> None:
        self.on = self.keys = False
        self.most = 1000
        self.kept: list[Record] = []
        self.meddler = Meddler(person)
        self.meddler.alter = self._alter

    def _alter(self, record: Record) -> list[Record]:
        if len(self.kept) >= self.most:
            return [record]
        if (self.on and record.get("event") == "sealed") or (self.keys and record.get("event") == "e2e-from"):
            self.kept.append(record)
            return []
        return [record]

    def give(self) -> None:
        """Give what was withheld after all."""
        self.on = self.keys = False
        kept, self.kept = self.kept, []
        for record in kept:
            self.meddler.say(**record)
