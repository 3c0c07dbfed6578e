"""A file that is being fetched. It is written to a *part*, a hidden file in the folder of its final path.

Once the part is complete and its hash is right, it is moved to the final path. The part's name is made from the server
and the file, so that a later fetch of the file goes on where this one stopped. Other users may be able to write to the
folder. So a part is used only if it belongs to this user and nobody else can write to it, and only this user may read
the part and the file (0600). The methods wait for the disk, so they are called in threads; only one may run at a time.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from chatroom.client.errors import Rejected
from chatroom.client.paths import spelled, why_unusable
from chatroom.model.replies import Download
from chatroom.model.shared_files import CHUNK, bytes_of, safe_name, spell_apart, split_ending

NAME_BYTES = 200  # of a name that we choose: less than a file system allows, for a number may be added
MOST_NAMES = 1000  # numbered names to try
MOST_TRIES = 10  # attempts to lock the part
FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MODE = 0o600  # of the part and of the file
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Described(Protocol):
    """What is known of a file before it is fetched: ``Download``, or the offer of an encrypted file."""

    @property
    def file(self) -> str:
        """The id of the file."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def size(self) -> int:
        """Its size in bytes."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal."""


class PartialFile:
    """Writes the pieces of a file to its part, and moves the complete file to its path.

    Args:
        about: The file.
        server: Host and port of the server.
        wanted: The path for the file; if it is a folder, the file gets its own name in it.
        folder: Whether the path is meant as a folder, which is then made if it is missing.
        piece: The number of bytes in each piece but the last.

    Attributes:
        have: How many pieces were written, those of an earlier fetch included.

    Raises:
        Rejected: The path cannot be used, the disk is too full, or the file is being fetched already.
    """

    def __init__(self, about: Described, server: str, wanted: Path, folder: bool = False, piece: int = CHUNK) -> None:
        self._about = about
        self._piece = piece
        self._name = safe_name(about.name)
        self._wanted = wanted
        with self._explained():
            if folder:
                _make_folder(wanted)
            self._named = not wanted.is_dir()
            if not self._named:
                self._wanted = wanted / _fitting(self._name)
            self._check_place()
            mark = hashlib.sha256(f"{server}\n{about.file}\n{about.sha256}".encode()).hexdigest()[:16]
            self._path = self._wanted.parent / f".chatroom-{mark}.part"
            self._descriptor = self._open()
            try:
                self.have = self._beginning()
                self._check_room()
            except BaseException:
                self.close()
                raise

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._about.size

    @property
    def complete(self) -> bool:
        """Whether all pieces were written."""
        return self.have == -(-self._about.size // self._piece)

    @property
    def done(self) -> int:
        """How many bytes were written."""
        return min(self.have * self._piece, self._about.size)

    def write(self, data: bytes) -> None:
        """Write the next piece.

        Raises:
            Rejected: The part cannot be written, or was removed.
        """
        rest, at = memoryview(data), self.have * self._piece
        with self._explained():
            self._check_there()
            while rest:
                written = os.pwrite(self._descriptor, rest, at)
                rest, at = rest[written:], at + written
        self.have += 1

    def finish(self) -> Path:
        """Check the hash of the file, and move it to its path.

        Returns:
            The path, with a number in its name if another file had the name that the server gave.

        Raises:
            Rejected: The hash is wrong, and the part was removed; or the path cannot be used.
        """
        with self._explained():
            with open(self._descriptor, "rb", closefd=False) as file:
                file.seek(0)
                right = hashlib.file_digest(file, "sha256").hexdigest() == self._about.sha256.lower()
            if not right:
                self.remove()
                raise Rejected(
                    "wrong-hash", f"{self._name} is not what was announced, and was removed; fetch it again."
                )
            os.fsync(self._descriptor)
            self._check_there()
            return self._put_in_place()

    def remove(self) -> None:
        """Remove the part, unless something else has taken its name."""
        with suppress(OSError):
            if self._is_there(self._descriptor):
                os.unlink(self._path)

    def close(self) -> None:
        """Close and unlock the part, so that it can be continued later."""
        with suppress(OSError):
            os.close(self._descriptor)

    # ---- the part --------------------------------------------------------------------------------------------------

    def _check_place(self) -> None:
        """Refuse a folder that is missing, and a path typed by the user at which something exists."""
        folder = self._wanted.parent
        if not folder.is_dir():
            raise Rejected("no-folder", f"there is no folder {spelled(folder)}; make it, or name another.")
        if self._named:
            with suppress(FileNotFoundError):
                os.lstat(self._wanted)
                raise self._taken()

    def _open(self) -> int:
        """Open the part and lock it; try again if another client moved the part to its path between the two steps."""
        for _ in range(MOST_TRIES):
            descriptor = self._made()
            if descriptor is None:
                descriptor = self._found()
            if descriptor is None:
                continue
            try:
                self._lock(descriptor)
                if self._is_there(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise self._busy()

    def _made(self) -> int | None:
        """Make the part and return its descriptor; None if its name is taken."""
        try:
            return os.open(self._path, FLAGS | os.O_CREAT | os.O_EXCL, MODE)
        except FileExistsError:
            return None

    def _found(self) -> int | None:
        """Open the part that exists and return its descriptor; None if it has just gone.

        Raises:
            OSError: The part is a link, or ``_check_own`` refuses it.
        """
        try:
            descriptor = os.open(self._path, FLAGS)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:  # what O_NOFOLLOW raises for a symbolic link
                raise self._foreign("is a link") from None
            raise
        try:
            self._check_own(descriptor)
            os.fchmod(descriptor, MODE)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _lock(self, descriptor: int) -> None:
        """Lock the part; refuse to fetch the file if another client has locked it."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._busy() from None
        except OSError:
            pass  # a file system without locks

    def _check_own(self, descriptor: int) -> None:
        """Check that a part is a regular file of this user, has no other name, and cannot be written by others.

        Raises:
            OSError: One of these does not hold.
        """
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_nlink > 1:
            raise self._foreign("is something else")
        if about.st_uid != os.geteuid():
            raise self._foreign("belongs to another user")
        if about.st_mode & OTHERS_WRITE:
            raise self._foreign("can be written by others")

    def _foreign(self, why: str) -> OSError:
        return OSError(errno.EEXIST, f"{self._path} {why}, so it is not used; remove it")

    def _is_there(self, descriptor: int) -> bool:
        """Return whether the part's name still leads to the open part: somebody may have removed or replaced it."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.lstat(self._path))
        except FileNotFoundError:
            return False

    def _check_there(self) -> None:
        if not self._is_there(self._descriptor):
            there = f"what was fetched of {self._name} to {self._wanted.parent}"
            raise Rejected("removed", f"{there} has been removed in the meantime; fetch it again.")

    def _beginning(self) -> int:
        """Return how many whole pieces an earlier fetch has written to the part; cut off what is beyond them."""
        size = min(os.fstat(self._descriptor).st_size, self._about.size)
        have = -(-size // self._piece) if size == self._about.size else size // self._piece
        os.ftruncate(self._descriptor, min(have * self._piece, self._about.size))
        return have

    def _check_room(self) -> None:
        """Refuse a file for whose missing bytes the disk has no room; remove its part if that is empty."""
        free = shutil.disk_usage(self._wanted.parent).free
        if free < self._about.size - self.done:
            if not self.have:
                self.remove()
            has, room = spell_apart(self._about.size, free)
            there = f"{self._wanted.parent} has room for {room}"
            raise Rejected("no-room", f"{self._name} has {has}, {there}; name another folder.")

    def _put_in_place(self) -> Path:
        """Move the part to a free path, and return this path."""
        path = self._reserve()
        try:
            os.replace(self._path, path)
        except OSError:
            os.unlink(path)
            raise
        return path

    def _reserve(self) -> Path:
        """Reserve a free path by making an empty file there, so that moving the part to it replaces only that file."""
        for path in self._names():
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
                return path
        raise self._taken()

    def _names(self) -> Iterator[Path]:
        """Yield the final paths to try: the wanted one, and numbered ones unless the user has typed it."""
        yield self._wanted
        if not self._named:
            for number in range(1, MOST_NAMES):
                stem, ending = split_ending(self._wanted.name)
                yield self._wanted.with_name(f"{stem} ({number}){ending}")

    def _taken(self) -> Rejected:
        return Rejected("exists", f"there is a {self._wanted} already, and it is not overwritten; give another name.")

    def _busy(self) -> Rejected:
        return Rejected("busy", f"{self._name} is being fetched to {self._wanted.parent} already.")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn ``OSError``, and ``ValueError``, which Python raises for impossible names, into ``Rejected``."""
        try:
            yield
        except (OSError, ValueError) as error:
            there = f"{self._name} cannot be written to {spelled(self._wanted.parent)}: {why_unusable(error)}"
            raise Rejected("not-written", f"{there}; correct that or name another place, and fetch it again.") from None


def _make_folder(folder: Path) -> None:
    """Make a folder and its parents, if they are missing.

    Raises:
        Rejected: The folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = why_unusable(error)
        raise Rejected(
            "no-folder", f"the folder {spelled(folder)} cannot be made: {why}; name another place."
        ) from None


def chunk_fits(about: Download, index: int, data: bytes) -> bool:
    """Return whether a chunk has the length of the file's chunk with this index."""
    return len(data) == bytes_of(about.size, index)


def _fitting(name: str) -> str:
    """Return a file's name, cut to at most ``NAME_BYTES`` bytes; its ending, as ``.txt``, stays."""
    stem, ending = split_ending(name)
    most = NAME_BYTES - len(ending.encode())
    return safe_name(stem.encode()[:most].decode("utf-8", "ignore") + ending)
