"""Files over direct links: which were offered, which are being sent and fetched, and how they go on by the server.

A file is offered in an encrypted message, and sent when the other side asks for it. If the link is lost before the
other side has the whole file, the rest is given to the server's store and offered once more; the other side then goes
on where it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred

from chatroom.client.crypto.file_cipher import pieces_of
from chatroom.client.crypto.file_offers import FileOffer
from chatroom.client.encryption.interface import Privacy
from chatroom.client.errors import Rejected
from chatroom.client.files import sealed_file
from chatroom.client.files.direct_transfer import (
    DirectReceiver,
    DirectSender,
    Frame,
    FrameKind,
    PathLost,
    pack,
    unpack,
)
from chatroom.client.files.link_runs import LinkFetch, LinkRun, LinkSend
from chatroom.client.files.sealed_file import SealedFile
from chatroom.client.files.sealed_part import SealedPart
from chatroom.client.files.transfers import Transfers
from chatroom.client.files.upload import ANEW
from chatroom.model.shared_files import spell_size

MOST = 100  # offers over direct links to remember, and files to send
MOST_OF_ONE = 20  # of one user

Peer = tuple[str, str]  # a user's id, and a device of that user
T = TypeVar("T")


class FileLinks(Protocol):
    """The direct links that are open."""

    def peer(self, user: str) -> Peer | None:
        """Return the device of a user, named as the user is shown, to which a link is open; None if there is none."""
        ...

    def is_open(self, peer: Peer) -> bool:
        """Return whether a link to a device is open."""
        ...

    def send_chunk(self, peer: Peer, data: bytes) -> Deferred[None]:
        """Send bytes; the Deferred fires when the device has handled them, and fails if there is no link."""
        ...


@dataclass(frozen=True, slots=True)
class _PeerPath:
    """The path to a device; see ``FilePath``."""

    links: FileLinks
    to: Peer

    def send(self, frame: bytes) -> Deferred[None]:
        """Send a frame."""
        return self.links.send_chunk(self.to, frame)


@dataclass(slots=True, eq=False)
class _Offered:
    """A file that another user offers over a direct link.

    Args:
        number: Its number, for ``/get``.
        peer: The device that offers it.
        offer: The offer.

    Attributes:
        relayed: The offer of the rest, which is in the server's store; None while there is none.
        replaced: Why nothing will come, once the file has changed and is offered anew.
        waiting: Fire when there is such an offer.
    """

    number: int
    peer: Peer
    offer: FileOffer
    relayed: FileOffer | None = None
    replaced: Rejected | None = None
    waiting: list[Deferred[None]] = field(default_factory=list)

    def go_on(self, relayed: FileOffer) -> None:
        """Let those who wait go on with what the server has."""
        self.relayed = relayed
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.callback(None)

    def end(self) -> None:
        """Let those who wait know that nothing will come: the file had changed and is offered anew."""
        why = f"{self.offer.name} has changed where it comes from, and is offered anew; fetch the new one."
        self.replaced = Rejected("stopped", why)
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            one.errback(self.replaced)


def _nothing(text: str) -> None:
    """Show nothing."""


class DirectFiles:
    """Sends and fetches files over direct links.

    Args:
        transfers: Sends and fetches what goes by the server, and lists all transfers.
        links: The direct links.
    """

    def __init__(self, transfers: Transfers, links: FileLinks) -> None:
        self._transfers = transfers
        self._links = links
        self._sending: dict[tuple[Peer, str], DirectSender] = {}
        self._relaying: dict[tuple[Peer, str], LinkSend] = {}  # files of which the rest goes by the server
        self._receiving: dict[tuple[Peer, str], DirectReceiver] = {}
        self._offers: dict[int, _Offered] = {}
        self._numbers = 0

    # ---- sending ---------------------------------------------------------------------------------------------------

    async def send(self, path: Path, user: str, say: Callable[[str], None] = _nothing) -> None:
        """Send a file to a user: over the direct link if there is one, else by the server.

        Args:
            path: The file.
            user: The name of the user; empty for the room.
            say: Shows a sentence about what goes over the link. What goes by the server is told by an event.

        Raises:
            Rejected: The file could not be sent.
        """
        peer = self._links.peer(user) if user else None
        if peer is None or not await self._transfers.sealing.seals("", user):
            await self._transfers.send(path, user)
            return
        if len(self._sending) >= MOST:
            raise Rejected("busy", f"{MOST} files are offered already; cancel some with /cancel.")
        run = LinkSend(self._transfers, path, user, say)
        try:
            rest = await self._listed(run, self._send_directly(run, path, user, peer))
            if rest is not None:
                await self._transfers.send(path, user, rest, peer[0])
        except Rejected:
            for key in self._relayed_by(run):
                self._refuse(*key)
            raise
        finally:
            for key in self._relayed_by(run):
                del self._relaying[key]

    def _relayed_by(self, run: LinkSend) -> list[tuple[Peer, str]]:
        """Return for whom, and by which ids, a transfer gives files to the server."""
        return [key for key, of in self._relaying.items() if of is run]

    def _refuse(self, peer: Peer, file: str) -> None:
        """Tell a device that has asked for a file, or may have done so, that nothing comes."""
        self._links.send_chunk(peer, pack(Frame(file, FrameKind.STOP))).addErrback(lambda failure: None)

    async def _send_directly(self, run: LinkSend, path: Path, user: str, peer: Peer) -> SealedFile | None:
        """Offer a file and send it over a link. Returns what is to go by the server, if the link was lost."""
        random, work, replaces = self._transfers.sealing.random, self._transfers.work, ""
        for anew in range(ANEW + 1):
            sealed: SealedFile = await work(sealed_file.seal, path, 0, run.wanted, random, replaces)
            replaces = sealed.name
            try:
                arrived = await self._offer(run, sealed, user, peer)
                if arrived is None:
                    return None
                first = min(arrived, pieces_of(sealed.sealer.head.size) - 1)
                return await work(sealed.rest, first, run.wanted) if first else sealed
            except Rejected as refused:
                if refused.code != "file-changed" or anew == ANEW:
                    raise
        raise AssertionError("the last attempt has raised")

    async def _offer(self, run: LinkSend, sealed: SealedFile, user: str, peer: Peer) -> int | None:
        """Offer a sealed file, and send it when the other side wants it.

        Returns:
            None if the other side has the file; else how many pieces it has, because the link was lost.
        """
        if not self._links.is_open(peer):
            return 0
        size, key = sealed.sealer.head.size, (peer, sealed.name)
        sender = DirectSender(sealed, self._transfers.work, lambda: run.reach(sender.arrived, size))
        self._sending[key] = sender
        try:
            with run.stopping(sender.cancel):
                running = Deferred.fromCoroutine(sender.run(_PeerPath(self._links, peer)))
                offer = sealed.offer(sealed.name, run.name)
                offering = Deferred.fromCoroutine(self._transfers.sealing.offer("", user, offer))
                offering.addCallbacks(lambda _: run.offered(size), _stop, errbackArgs=(sender,))
                await running
            run.fetched()
            return None
        except PathLost:
            self._relaying[key] = run
            return sender.arrived
        finally:
            del self._sending[key]

    # ---- fetching --------------------------------------------------------------------------------------------------

    def offered(self, peer: Peer, offer: FileOffer) -> int:
        """Take an offer that a device has made, after it was remembered.

        Returns:
            The number of the file for ``/get d1``; 0 if the file is fetched from the server by the number there.
        """
        known = self._known(peer, offer.head.file)
        replaced = self._known(peer, offer.replaces) if offer.replaces else None
        if replaced is not None:
            replaced.end()
            self._leave_link(replaced)
        if offer.file != offer.head.file:
            if known is not None:
                known.go_on(offer)
                self._leave_link(known)
            return 0
        if known is None:
            self._numbers += 1
            known = self._offers[self._numbers] = _Offered(self._numbers, peer, offer)
            self._forget_oldest(peer[0])
        return known.number

    def lines(self) -> list[str]:
        """Return what ``/files`` says of the files that are offered over direct links; nothing if there are none."""
        there = [one for one in self._offers.values() if one.replaced is None]
        lines = [f"  d{one.number}  {one.offer.name}  {spell_size(one.offer.size)}" for one in there]
        return [f"Files offered over direct links ({len(there)}):", *lines] if lines else []

    def _leave_link(self, one: _Offered) -> None:
        """Expect nothing more over the link: it is lost, although perhaps only the sender has noticed that so far."""
        receiver = self._receiving.get((one.peer, one.offer.head.file))
        if receiver is not None:
            receiver.lost()

    def _known(self, peer: Peer, file: str) -> _Offered | None:
        """Return the offer of a user whose header has this id."""
        theirs = (one for one in self._offers.values() if one.peer[0] == peer[0])
        return next((one for one in theirs if one.offer.head.file == file), None)

    def _forget_oldest(self, user_id: str) -> None:
        """Forget the oldest offers beyond the bounds for a user and for all."""
        theirs = [number for number, one in self._offers.items() if one.peer[0] == user_id]
        beyond = theirs[:-MOST_OF_ONE] or list(self._offers)[:-MOST]
        for number in beyond:
            del self._offers[number]

    async def get(self, number: int, wanted: Path, *, folder: bool = False) -> Path:
        """Fetch a file that was offered over a direct link: over the link if it is open, else by the server.

        Args:
            number: The number of the offer.
            wanted: Where to put the file: a folder, or a path at which nothing exists.
            folder: Whether ``wanted`` is a folder; it is made if it is missing.

        Returns:
            The path of the file.

        Raises:
            Rejected: The file could not be fetched.
        """
        one = self._offers.get(number)
        if one is None:
            raise Rejected("no-file", f"no file d{number} was offered; ask for it to be sent again.")
        if one.replaced is not None:
            raise one.replaced
        if one.relayed is None:
            if not self._links.is_open(one.peer):
                why = f"the direct link over which {one.offer.name} was offered is closed"
                raise Rejected("no-link", f"{why}; open it again with /direct, or wait for the file from the server.")
            run = LinkFetch(self._transfers, one.offer.name, f"d{number}")
            path = await self._listed(run, self._fetch(run, one, wanted, folder))
            if path is not None:
                return path
        return await self._transfers.get(0, wanted, folder=folder, offer=one.relayed)

    async def _fetch(self, run: LinkRun, one: _Offered, wanted: Path, folder: bool) -> Path | None:
        """Fetch a file over the link. Returns None when the rest can be fetched from the server."""
        key = (one.peer, one.offer.head.file)
        if key in self._receiving:
            raise Rejected("busy", f"{run.name} is being fetched already.")
        part: SealedPart = await self._transfers.work(SealedPart, one.offer, self._transfers.server, wanted, folder)
        receiver = DirectReceiver(key[1], part, self._transfers.work, lambda: run.reach(part.have, part.size))
        self._receiving[key] = receiver
        try:
            with run.stopping(receiver.cancel):
                return await receiver.run(_PeerPath(self._links, one.peer))
        except PathLost:
            if not part.done:
                part.remove()
        except Rejected as refused:
            if refused.code == "cancelled" or not part.done:
                part.remove()
            raise
        finally:
            del self._receiving[key]
            part.close()
        run.progress = None
        await self._until_relayed(run, one)
        return None

    async def _until_relayed(self, run: LinkRun, one: _Offered) -> None:
        """Wait until the sender has given the rest of a file to the server."""
        if one.relayed is not None:
            return
        if one.replaced is not None:
            raise one.replaced
        waits: Deferred[None] = Deferred()
        one.waiting.append(waits)

        def stop(why: Rejected) -> None:
            one.waiting.remove(waits)
            waits.errback(why)

        with run.stopping(stop):
            await waits

    # ---- the links -------------------------------------------------------------------------------------------------

    def received(self, peer: Peer, data: bytes) -> Deferred[None] | None:
        """Take bytes that a device has sent over a link. A Deferred that is returned fires when they are handled."""
        frame = unpack(data)
        if frame is None:
            return None
        sender = self._sending.get((peer, frame.file))
        if sender is not None and frame.kind != FrameKind.PIECE:
            sender.heard(frame)
        elif frame.kind == FrameKind.WANT and (peer, frame.file) not in self._relaying:
            self._refuse(peer, frame.file)  # it was sent over an earlier link, or by an earlier run
        receiver = self._receiving.get((peer, frame.file))
        return receiver.heard(frame) if receiver is not None else None

    def lost(self, peer: Peer) -> None:
        """Let what goes over a link go on by the server: the link has ended."""
        halves = [*self._sending.items(), *self._receiving.items()]
        for (of, _), half in halves:
            if of == peer:
                half.lost()

    async def _listed(self, run: LinkRun, running: Awaitable[T]) -> T:
        """List a transfer while it runs."""
        self._transfers.others.append(run)
        try:
            return await running
        finally:
            self._transfers.others.remove(run)


def _stop(failure: Any, sender: DirectSender) -> None:
    """Cancel a transfer whose offer could not be sent."""
    failure.trap(Rejected)
    sender.cancel(failure.value)


class PrivacyLinks:
    """The direct links of a client, which may have none, or only later; it implements ``FileLinks``.

    Args:
        privacy: Has the links.
    """

    def __init__(self, privacy: Privacy) -> None:
        self._privacy = privacy

    def peer(self, user: str) -> Peer | None:
        """Return the device of a user to which a link is open; None if there is none."""
        links = self._privacy.file_links
        found: Peer | None = links.peer(user) if links is not None else None
        return found

    def is_open(self, peer: Peer) -> bool:
        """Return whether a link to a device is open."""
        return self._privacy.file_links is not None and bool(self._privacy.file_links.is_open(peer))

    def send_chunk(self, peer: Peer, data: bytes) -> Deferred[None]:
        """Send bytes to a device; see ``FileLinks``."""
        sent: Deferred[None] = self._privacy.file_links.send_chunk(peer, data)
        return sent


def over_links(transfers: Transfers) -> DirectFiles:
    """Return what sends and fetches files over the direct links of a client, once it has some."""
    privacy = transfers.client.privacy
    privacy.link_files = files = DirectFiles(transfers, PrivacyLinks(privacy))
    return files
