"""Programs that have keys, for tests of the server: what is signed is genuine, and what is sealed is made up."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from harness import Client, World
from msgspec import convert
from order import session_of

from chatroom.model.device_keys import DeviceKeys, device_proof
from chatroom.model.signed_bytes import b64, device_id, to_sign


def made_up(word: str, size: int = 32) -> str:
    """Return so many bytes that a word stands for."""
    return b64((sha256(word.encode()).digest() * 3)[:size])


@lru_cache(4096)
def secret_key(word: str) -> Ed25519PrivateKey:
    """Return the secret key that a word stands for."""
    return Ed25519PrivateKey.from_private_bytes(sha256(word.encode()).digest())


def public_key(word: str) -> str:
    """Return the public key that a word stands for."""
    return b64(secret_key(word).public_key().public_bytes_raw())


def signed(word: str, domain: str, record: dict[str, Any]) -> dict[str, Any]:
    """Return a record with its signature by the key that a word stands for."""
    content = {key: value for key, value in record.items() if key != "sig"}
    return {**content, "sig": b64(secret_key(word).sign(to_sign(domain, content)))}


class Device:
    """The keys of one device, as its program makes them.

    Args:
        word: Stands for the device.
        server: The id of the server.
        user_id: The id of its user.
    """

    def __init__(self, word: str, server: str, user_id: str) -> None:
        self.word = word
        self.id = device_id(public_key(word))
        self.whose = {"v": 1, "server": server, "user_id": user_id}
        self.user_id = user_id

    @property
    def keys(self) -> dict[str, Any]:
        """Its long-term keys."""
        public = {"ed25519": public_key(self.word), "curve25519": made_up(f"{self.word} curve")}
        return self.signed({**self.whose, "device": self.id, **public, "label": self.word})

    def signed(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record of a device with a signature by this device."""
        return signed(self.word, "device", record)

    def shown(self, nonce: str) -> dict[str, Any]:
        """Return the fields by which a session with a nonce publishes this device."""
        keys = self.keys
        proof = secret_key(self.word).sign(device_proof(convert(keys, DeviceKeys), nonce))
        return {"device": keys, "proof": b64(proof)}

    def key(self, word: object, *, fallback: bool = False) -> dict[str, Any]:
        """Return a one-time key, or the fallback key, that a word stands for."""
        record = {**self.whose, "device": self.id, "key": made_up(f"{self.word} {word}"), "fallback": fallback}
        return signed(self.word, "one-time-key", record)

    def one_time(self, *words: object) -> list[dict[str, Any]]:
        """Return one-time keys, which the words stand for."""
        return [self.key(word) for word in words]

    def listing(self, rev: int, *devices: Device, user_key: str = "user key") -> dict[str, Any]:
        """Return a list of devices of the same user, signed by the user key that a word stands for."""
        listed = [device.keys for device in devices]
        record = {**self.whose, "rev": rev, "user_key": public_key(user_key), "devices": listed}
        return signed(user_key, "device-list", record)

    def envelope(self, body: str = "sealed", kind: int = 1) -> dict[str, Any]:
        """Return an envelope for this device."""
        return {"user_id": self.user_id, "device": self.id, "kind": kind, "body": body}


def nonce_of(client: Client) -> str:
    """Return what the server has given a connection to sign."""
    return client.world.chat.keys.nonces.of(session_of(client))


def shown(client: Client, device: Device) -> dict[str, Any]:
    """Return the fields by which a connection publishes a device and shows that it has the device's secret key."""
    return device.shown(nonce_of(client))


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
        return self.publish_as({"one_time": one_time, "fallback": last, **fields})

    def publish_as(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Publish its keys with other fields, which may be wrong; return the answer."""
        return self.ask("keys-publish", **{**shown(self.client, self.device), **fields})

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
