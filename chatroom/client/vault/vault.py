"""The vault as other code uses it: rows that are read at once, and commits that are durable when they answer."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from chatroom.client.vault.errors import VaultBroken, VaultDamaged, VaultError, in_words
from chatroom.client.vault.row_cache import Name, RowCache
from chatroom.client.vault.sealing import Random, text
from chatroom.client.vault.vault_file import VaultFile
from chatroom.client.vault.vault_history import (
    MOST_ANSWERED,
    ForgottenMessage,
    HistoryChange,
    NotedMessage,
    ReplacedMessage,
    TextOf,
)
from chatroom.client.vault.vault_key import Unlock
from chatroom.client.vault.vault_worker import VaultWorker

MOST_SEQ = (1 << 63) - 1
_IDENTITY = re.compile(r"[a-z0-9]{1,64}")


def vault_path(folder: Path, identity_hash: str) -> Path:
    """Return the path of an identity's vault.

    Args:
        folder: The folder of the vaults.
        identity_hash: Stands for the server and the user: 1 to 64 lower-case letters and digits.
    """
    if not _IDENTITY.fullmatch(identity_hash):
        raise ValueError("an identity's hash has 1 to 64 lower-case letters and digits")
    return folder / f"{identity_hash}.vault"


def open_vault(
    folder: Path, identity_hash: str, unlock: Unlock, reactor: Any, random: Random = secrets.token_bytes
) -> Deferred[Vault]:
    """Open the vault of an identity on a thread of its own; make it if it is missing.

    Args:
        folder: The folder of the vaults. Only this user may use it from then on.
        identity_hash: See ``vault_path``.
        unlock: The passphrase or the key file.
        reactor: The reactor, or anything else that has its method ``callFromThread``.
        random: Returns so many random bytes.

    Returns:
        A Deferred that gives the vault, whose new generation is durable. It fails with a ``VaultError``.
    """
    path = vault_path(folder, identity_hash)
    worker = VaultWorker(reactor)

    def failed(failure: Failure) -> Failure:
        worker.stop()
        return failure

    return worker.run(VaultFile, path, unlock, random).addCallbacks(lambda file: Vault(file, worker), failed)


class _Batch:
    """What is stored in one transaction, and who waits for it."""

    def __init__(self) -> None:
        self.rows: dict[Name, bytes | None] = {}
        self.history: list[HistoryChange] = []
        self.waiting: list[Deferred[None]] = []


class Vault:
    """An open vault. It implements ``Rows``; all methods are called on the reactor thread.

    What is put is read back at once, and is stored by the next ``commit``. When a write has failed, or something that
    is read was changed by another program, every method raises ``VaultBroken`` or ``VaultDamaged`` from then on, since
    a key that might be used twice must not be used.

    Args:
        file: The open file.
        worker: The thread on which the file was opened.
    """

    def __init__(self, file: VaultFile, worker: VaultWorker) -> None:
        self._file = file
        self._worker = worker
        self._reads = file.reads
        self._sealer = file.sealer
        self._cache = RowCache()
        self._keys: dict[str, set[str]] = {}  # by table, of the tables whose keys were asked for
        self._next = _Batch()
        self._storing: _Batch | None = None
        self._broken: VaultError | None = None
        self._closed = False

    def __repr__(self) -> str:
        return "<Vault>"

    @property
    def generation(self) -> int:
        """How often the vault was opened, this time included."""
        return self._file.generation

    @property
    def broken(self) -> VaultError | None:
        """Why the vault refuses further work; None if it works."""
        return self._broken

    # ---- rows ----------------------------------------------------------------------------------------------------

    def get(self, table: str, key: str) -> bytes | None:
        """Return the value of a row, or None if there is no such row."""
        self._check()
        name = (table, key)
        for batch in self._unstored():
            if name in batch.rows:
                return batch.rows[name]
        value = self._cache.get(name)
        if value is None:
            value = self._read(table, key)
            self._cache.put(name, value)
        return value

    def put(self, table: str, key: str, value: bytes) -> None:
        """Set the value of a row, which is made if it is missing."""
        self._check()
        self._next.rows[table, key] = bytes(value)
        if table in self._keys:
            self._keys[table].add(key)

    def delete(self, table: str, key: str) -> None:
        """Remove a row if it is there."""
        self._check()
        self._next.rows[table, key] = None
        if table in self._keys:
            self._keys[table].discard(key)

    def keys(self, table: str) -> list[str]:
        """Return the keys of all rows of a table, sorted."""
        self._check()
        if table not in self._keys:
            keys = set(self._read_keys(table))
            for batch in reversed(list(self._unstored())):
                for (place, key), value in batch.rows.items():
                    if place == table:
                        (keys.discard if value is None else keys.add)(key)
            self._keys[table] = keys
        return sorted(self._keys[table])

    def _unstored(self) -> Iterable[_Batch]:
        """Yield what is not known to be stored, the newest first."""
        yield self._next
        if self._storing is not None:
            yield self._storing

    def _read(self, table: str, key: str) -> bytes | None:
        """Return the value of a row of the file."""
        name = self._sealer.name("row", table, key)
        try:
            row = self._reads.execute("SELECT nonce, value FROM rows WHERE name=?", (name,)).fetchone()
            return None if row is None else self._sealer.open(row[0] + row[1], "row", table, key)
        except (sqlite3.Error, VaultError, TypeError) as error:
            self._give_up(error)

    def _read_message(self, place: str, id: str) -> bytes | None:
        """Return what the file has of a message of the local history."""
        name = self._sealer.name("message", place, id)
        try:
            row = self._reads.execute("SELECT value FROM history WHERE name=?", (name,)).fetchone()
            return None if row is None else self._sealer.open(row[0], "history", place, id)
        except (sqlite3.Error, VaultError, TypeError) as error:
            self._give_up(error)

    def _read_keys(self, table: str) -> list[str]:
        """Return the keys of a table's rows in the file."""
        place = self._sealer.name("table", table)
        try:
            # All at once: a statement that is left half done would hold up SQLite's checkpoints.
            rows = self._reads.execute(
                "SELECT name, label FROM rows INDEXED BY rows_of WHERE place=?", (place,)
            ).fetchall()
            opened = [self._sealer.open(label, "label", table, name.hex()) for name, label in rows]
            return [key.decode("utf-8", "surrogatepass") for key in opened]
        except (sqlite3.Error, VaultError, TypeError, AttributeError) as error:
            self._give_up(error)

    # ---- commits -------------------------------------------------------------------------------------------------

    def commit(self) -> Deferred[None]:
        """Store everything that was put, deleted and noted so far. Commits that come while one runs are stored in one.

        Returns:
            A Deferred that fires when all of it is durable, or fails with ``VaultBroken``.
        """
        if self._broken is not None:
            return fail(self._broken)
        batch = self._next
        if self._storing is None and not batch.rows and not batch.history:
            return succeed(None)
        deferred: Deferred[None] = Deferred()
        batch.waiting.append(deferred)
        self._store()
        return deferred

    def _store(self) -> None:
        """Begin to store the next batch, if a commit waits for it and no other batch is being stored."""
        if self._storing is not None or not self._next.waiting:
            return
        batch, self._next = self._next, _Batch()
        self._storing = batch
        self._worker.run(self._file.store, batch.rows, batch.history).addCallbacks(self._stored, self._failed)

    def _stored(self, _: None) -> None:
        batch, self._storing = self._storing, None
        if batch is None:  # the vault has been found damaged meanwhile, and its commits have failed
            return
        for name, value in batch.rows.items():
            self._cache.put(name, value)
        self._store()  # before others are told, who may well commit again
        for deferred in batch.waiting:
            deferred.callback(None)

    def _failed(self, failure: Failure) -> None:
        """Refuse all further work, since nobody knows what is stored."""
        why = in_words(failure.value) if isinstance(failure.value, Exception) else "an unknown error"
        self._break(
            VaultBroken(
                f"the keys could not be stored: {why}. Nothing more is sent or read until chatroom-client is started"
                " again; make space on the disk first if it is full"
            )
        )

    def _give_up(self, error: Exception) -> NoReturn:
        """Refuse all further work, since something was read that this client has not written."""
        damage = error if isinstance(error, VaultDamaged) else VaultDamaged(f"the vault is damaged: {in_words(error)}")
        self._break(damage)
        raise damage from None

    def _break(self, error: VaultError) -> None:
        """Refuse all further work, and fail every commit that waits."""
        self._broken = self._broken or error
        waiting = [deferred for batch in self._unstored() for deferred in batch.waiting]
        self._storing, self._next = None, _Batch()
        self._cache.clear()
        self._keys.clear()
        for deferred in waiting:
            deferred.errback(self._broken)

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken.with_traceback(None)  # an earlier traceback would keep values alive

    # ---- the local history ---------------------------------------------------------------------------------------

    def note(self, place: str, id: str, seq: int, at: int, value: bytes) -> None:
        """Add a message to the local history, as a part of the next commit; an id that is there stays as it is.

        Args:
            place: The room or the conversation.
            id: The message's id, unique in the place.
            seq: What orders the messages of the place.
            at: When it was sent, milliseconds since 1970.
            value: What to keep.
        """
        if not (0 <= seq <= MOST_SEQ and 0 <= at <= MOST_SEQ):
            raise ValueError("seq and at are not negative and have at most 63 bits")
        self._note(NotedMessage(place, id, seq, at, bytes(value)))

    def replace(self, place: str, id: str, value: bytes) -> None:
        """Give a message of the local history another value, as a part of the next commit, if the message is there."""
        self._note(ReplacedMessage(place, id, bytes(value)))

    def forget(self, place: str, id: str) -> None:
        """Remove a message from the local history, as a part of the next commit."""
        self._note(ForgottenMessage(place, id))

    def _note(self, change: HistoryChange) -> None:
        self._check()
        text(change.place).decode(), text(change.id).decode()  # they must be valid Unicode
        self._next.history.append(change)

    def find(self, place: str, id: str) -> bytes | None:
        """Return what was noted of a message of the local history, stored or not; None if the message is not there."""
        self._check()
        value = self._read_message(place, id)
        for batch in reversed(list(self._unstored())):
            for change in batch.history:
                if (change.place, change.id) == (place, id):
                    value = change.of(value)
        return value

    def recent(self, place: str, before: int, limit: int) -> Deferred[list[NotedMessage]]:
        """Return the newest messages of a place, the oldest of them first. What was noted is committed before.

        Args:
            place: The room or the conversation.
            before: Only messages with a smaller seq; 0 for all.
            limit: How many at most; never more than ``MOST_ANSWERED``.
        """
        return Deferred.fromCoroutine(self._recent(place, before, limit))

    async def _recent(self, place: str, before: int, limit: int) -> list[NotedMessage]:
        await self.commit()
        history = self._file.history
        try:
            while not await self._worker.run(history.index_some, place):
                self._check()
            return await self._worker.run(history.recent, place, before, limit)
        except (sqlite3.Error, VaultDamaged) as error:
            self._give_up(error)

    def search(
        self, place: str, words: Iterable[str], limit: int, text_of: TextOf = lambda value: value.decode("utf-8")
    ) -> Deferred[list[NotedMessage]]:
        """Return messages that have all words in them, in upper or lower case, those that were noted last first.

        Args:
            place: Where to look; empty for everywhere.
            words: The words.
            limit: How many messages at most; never more than ``MOST_ANSWERED``.
            text_of: Returns the text in a value that was noted; called on the vault's thread.
        """
        folded = [word.casefold() for word in words]
        return Deferred.fromCoroutine(self._search(place, folded, min(limit, MOST_ANSWERED), text_of))

    async def _search(self, place: str, words: list[str], limit: int, text_of: TextOf) -> list[NotedMessage]:
        await self.commit()
        found: list[NotedMessage] = []
        before = 0
        try:
            while len(found) < limit:
                self._check()
                job = self._worker.run(self._file.history.search_some, place, words, text_of, before)
                some, before = await job
                found += some
                if not before:
                    break
        except (sqlite3.Error, VaultDamaged) as error:
            self._give_up(error)
        return found[:limit]

    # ---- the whole -----------------------------------------------------------------------------------------------

    def change_unlock(self, unlock: Unlock) -> Deferred[None]:
        """Let another passphrase or key file unlock the vault from now on. It fails with a ``VaultError``."""
        return self._worker.run(self._file.rewrap, unlock) if self._broken is None else fail(self._broken)

    def close(self) -> Deferred[None]:
        """Commit what was put, close the file and give its lock back. Later calls fail with ``VaultBroken``.

        Returns:
            A Deferred that fires when the file is closed; it fails if the last commit has failed.
        """
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._broken is None:
                await self.commit()
        finally:
            self._break(VaultBroken("the vault is closed: you are another user now, or the client ends"))
            self._reads.close()
            closed = self._worker.run(self._file.close)
            self._worker.stop()
            await closed
