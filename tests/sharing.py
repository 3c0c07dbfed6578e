"""A program that shares and fetches files, in memory; what it hears are records, a chunk's raw bytes among them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from harness import Client, World, stored_records

from chatroom.chat.files import record_storage
from chatroom.chat.files.record import FileRecord
from chatroom.model.shared_files import CHUNK

DATA = bytes(range(256)) * 2400  # two chunks and a third of one


def sha256(data: bytes) -> str:
    """Return the digest in hex."""
    return hashlib.sha256(data).hexdigest()


def parse(stream: bytes) -> list[dict[str, Any]]:
    """Return the records of what the server said; a chunk's bytes are its field ``raw``."""
    found = []
    while stream:
        line, _, stream = stream.partition(b"\r\n")
        record: dict[str, Any] = json.loads(line)
        if record["event"] == "chunk" and "bytes" in record:
            record["raw"], stream = stream[: record["bytes"]], stream[record["bytes"] :]
        found.append(record)
    return found


def kept_files(world: World) -> list[FileRecord]:
    """Return the records of all files, also of those that are still being sent; each is found by its rows, too."""
    records = stored_records(world)
    files = [
        record_storage.decode(value) for (bucket, _), (value, _) in records.items() if bucket == record_storage.FILES
    ]
    ids = sorted(file.id for file in files)
    for bucket in (record_storage.IN_LOG, record_storage.BY_USER):
        assert sorted(key.rpartition("/")[2] for (there, key) in records if there == bucket) == ids
    assert sorted(v.decode() for (there, _), (v, _) in records.items() if there == record_storage.SAME) == ids
    return files


def hear(client: Client) -> list[dict[str, Any]]:
    """Return what has come since the last time."""
    return parse(client.take())


def only(client: Client, **fields: Any) -> dict[str, Any]:
    """Return the one record that has come; it must have these fields."""
    (record,) = hear(client)
    assert {key: record.get(key) for key in fields} == fields, record
    return record


def offer(client: Client, data: bytes = DATA, name: str = "notes.txt", **more: Any) -> None:
    """Say which file will come; what was heard before is forgotten."""
    client.take()
    client.record(do="share", name=name, size=len(data), sha256=sha256(data), **more)


def begin(client: Client, data: bytes = DATA, name: str = "notes.txt", **more: Any) -> str:
    """Say which file will come; return its id."""
    offer(client, data, name, **more)
    return str(only(client, event="upload", chunk=CHUNK)["file"])


def header(file: str, index: int, number: int) -> bytes:
    """Return the record of a chunk."""
    return json.dumps({"do": "chunk", "file": file, "index": index, "bytes": number}).encode() + b"\n"


def chunk(file: str, index: int, data: bytes = DATA) -> bytes:
    """Return a chunk as it is sent."""
    raw = data[index * CHUNK : (index + 1) * CHUNK]
    return header(file, index, len(raw)) + raw


def send(client: Client, file: str, data: bytes = DATA, start: int = 0) -> None:
    """Send all chunks from that one on, as fast as it goes."""
    for index in range(start, -(-len(data) // CHUNK)):
        client.send(chunk(file, index, data))


def share(client: Client, data: bytes = DATA, name: str = "notes.txt", **more: Any) -> dict[str, Any]:
    """Share a file; return what is told of it."""
    file = begin(client, data, name, **more)
    send(client, file, data)
    *acknowledged, shared = hear(client)
    assert [record["index"] for record in acknowledged] == list(range(-(-len(data) // CHUNK)))
    assert (shared["event"], shared["file"], shared["sha256"]) == ("shared", file, sha256(data)), shared
    return shared


def fetch(client: Client, **which: Any) -> bytes:
    """Fetch a file, acknowledging each chunk; return its bytes."""
    client.record(do="get", **which)
    download, *chunks = hear(client)
    assert download["event"] == "download", download
    data = b""
    while chunks:
        for one in chunks:
            assert one["event"] == "chunk", one
            data += one["raw"]
            client.record(do="got", file=one["file"], index=one["index"])
        chunks = hear(client)
    return data
