"""Programs that have keys, for tests of the server, which checks no signature: keys and signatures are made up."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

from harness import Client, World


def b64(text: str, size: int) -> str:
    """Return so many bytes that a text stands for, as base64 without padding."""
    data = (sha256(text.encode()).digest() * 3)[:size]
    return b64encode(data).decode().rstrip("=")


def device_id(word: str) -> str:
    """Return the id of the device that a word stands for."""
    return "".join(letter for letter in word.upper() if letter.isalpha())[:10].ljust(10, "A")


class Device:
    """The keys of one device, as its program makes them.

    Args:
        word: Stands for the device.
        server: The id of the server.
        user_id: The id of its user.
    """

    def __init__(self, word: str, server: str, user_id: str) -> None:
        self.id = device_id(word)
        self.word = word
        self.whose = {"v": 1, "server": server, "user_id": user_id}
        self.user_id = user_id

    @property
    def keys(self) -> dict[str, Any]:
        """Its long-term keys."""
        public = {"ed25519": b64(f"{self.word} ed", 32), "curve25519": b64(f"{self.word} curve", 32)}
        return {**self.whose, "device": self.id, **public, "label": self.word, "sig": b64(self.word, 64)}

    def key(self, word: object, *, fallback: bool = False) -> dict[str, Any]:
        """Return a one-time key, or the fallback key, that a word stands for."""
        name = f"{self.word} {word}"
        return {
            **self.whose,
            "device": self.id,
            "key": b64(name, 32),
            "fallback": fallback,
            "sig": b64(f"{name} sig", 64),
        }

    def one_time(self, *words: object) -> list[dict[str, Any]]:
        """Return one-time keys, which the words stand for."""
        return [self.key(word) for word in words]

    def listing(self, rev: int, *devices: Device, user_key: str = "user key") -> dict[str, Any]:
        """Return a list of devices of the same user."""
        listed = [device.keys for device in devices]
        return {**self.whose, "rev": rev, "user_key": b64(user_key, 32), "devices": listed, "sig": b64("list", 64)}

    def envelope(self, body: str = "sealed", kind: int = 1) -> dict[str, Any]:
        """Return an envelope for this device."""
        return {"user_id": self.user_id, "device": self.id, "kind": kind, "body": body}


class Keyed:
    """A program that has keys.

    Args:
        client: Its connection, after its hello.
        word: Stands for its device.
        server: The id of the server.
        user_id: The id of its user.
    """

    def __init__(self, client: Client, word: str, server: str, user_id: str) -> None:
        self.client = client
        self.device = Device(word, server, user_id)

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Give a command, and return its answer. What else has come is lost."""
        self.client.record(do=do, ref="it", **fields)
        (found,) = [record for record in self.client.records() if record.get("re") == "it"]
        return found

    def publish(self, *words: object, fallback: object = None, **fields: Any) -> dict[str, Any]:
        """Publish its keys, with one-time keys that the words stand for; return the answer."""
        last = self.device.key(fallback, fallback=True) if fallback is not None else None
        one_time = self.device.one_time(*words)
        return self.ask("keys-publish", device=self.device.keys, one_time=one_time, fallback=last, **fields)

    def list_devices(self, rev: int, *devices: Device, reset: bool = False, **more: Any) -> dict[str, Any]:
        """Replace the list of devices; its own device alone, if none is given. Return the answer."""
        return self.ask("keys-list", list=self.device.listing(rev, *(devices or (self.device,)), **more), reset=reset)

    def send(self, id: str, *envelopes: dict[str, Any], revs: dict[str, int] | None = None, **more: Any) -> dict:
        """Send envelopes to devices whose lists have the number 1, unless other numbers are given."""
        known = revs if revs is not None else {envelope["user_id"]: 1 for envelope in envelopes}
        return self.ask("e2e-send", id=id, envelopes=list(envelopes), revs=known, **more)

    def mail(self) -> list[dict[str, Any]]:
        """Return the sealed messages that have come."""
        return [record for record in self.client.records() if record["event"] == "e2e-from"]

    def bodies(self) -> list[str]:
        """Return the bodies of the sealed messages that have come."""
        return [record["body"] for record in self.mail()]


def connected(
    world: World, name: str, *, account: bool = True, host: str = "127.0.0.1", device: str = "it"
) -> tuple[Client, str]:
    """Return a program that is logged in, or a guest of that name, and the id of its user."""
    client = world.connect(host)
    client.record(do="hello", version=1, device=device, **({} if account else {"name": name}))
    welcome = client.records()[0]
    if not account:
        return client, welcome["you_id"]
    client.record(do="register", user=name, password="secret-1")
    if client.records()[-1]["event"] == "error":
        client.record(do="login", user=name, password="secret-1")
        assert "error" not in [record["event"] for record in client.records()]
    client.record(do="account", ref=1)
    return client, client.records()[-1]["id"]


def keyed(
    world: World, name: str, word: str = "", *, account: bool = True, listed: bool = True, host: str = "127.0.0.1"
) -> Keyed:
    """Return a program of a user that has published keys, and has made the user's first list if that is wanted."""
    client, user_id = connected(world, name, account=account, host=host, device=word or name)
    made = Keyed(client, word or name, world.chat.server_id, user_id)
    assert made.publish()["event"] == "keys-published"
    if listed:
        assert made.list_devices(1)["event"] == "ok"
    return made
