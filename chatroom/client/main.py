"""The command ``chatroom-client``: a screen on a terminal; in a pipe, lines in and lines out."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Any, Literal, NoReturn, cast

from chatroom.client import standard_streams
from chatroom.client.command_line import Wish, wanted
from chatroom.client.config import BadConfig
from chatroom.client.known_hosts import spell
from chatroom.client.passphrase import NoPassphrase, WrongWord, is_locked, read_passphrase

USAGE = 2  # exit status
VAULTS = "vaults"  # the folder of our keys in the state folder


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """The settings of the screen; see ``chatroom.client.screen.app.AppSettings``."""

    address: str
    state: Path
    downloads: Path
    bell: Literal["off", "private", "all"]
    timestamps: bool
    colours: bool | None
    links: bool
    notify: Literal["osc9", "osc777", "off"]


def main() -> NoReturn:
    """Run the command, and exit with its status."""
    closed = standard_streams.fill()
    try:
        wish = wanted(sys.argv[1:], os.environ)
    except BadConfig as error:
        _complain(str(error))
        sys.exit(USAGE)
    if wish.accept and (os.isatty(0) or "stdin" in closed):
        sys.exit(_accept(wish))
    if closed and closed[0] != "stderr":
        nothing = "said" if closed[0] == "stdin" else "shown"
        _complain(f"{closed[0]} is closed; give it /dev/null if nothing is to be {nothing}")
        sys.exit(1)
    if wish.plain and not wish.accept:
        _leave_out_tls()
    try:
        wish = with_passphrase(wish)
    except NoPassphrase as error:
        _complain(str(error))
        sys.exit(1 if isinstance(error, WrongWord) else USAGE)
    drawn = os.isatty(0) and os.isatty(1) and not _is_dumb(os.environ) and not wish.records
    sys.exit(_screen(wish) if drawn else _pipe(wish))


def with_passphrase(wish: Wish) -> Wish:
    """Return a wish with the passphrase of our keys, read where it says; raise ``NoPassphrase`` if there is none."""
    where = wish.config.passphrase
    if not where or wish.accept:
        return wish
    vaults = wish.state / VAULTS

    def opens(passphrase: str) -> bool:
        from chatroom.client.vault.passphrase_check import fits  # here, because few users need it

        return fits(vaults, passphrase)

    return replace(wish, passphrase=read_passphrase(where, new=not is_locked(vaults), fits=opens))


def _leave_out_tls() -> None:
    """Let Twisted's reactors load no OpenSSL, which takes 13 MB; without it they connect in plain text as before.

    An attempt to use TLS all the same fails, and never becomes plain text.
    """
    sys.modules.setdefault("OpenSSL", cast(Any, None))  # an import of it fails now, unless it is loaded already


def _is_dumb(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal can only show lines, such as that of a shell in an editor."""
    return environment.get("TERM", "").lower() in ("dumb", "unknown")


def _complain(text: str) -> None:
    """Write a sentence to stderr, in one line."""
    line = " ".join(text.split())
    with suppress(OSError):  # nothing reads stderr, either
        print(f"chatroom-client: {line}{'' if line.endswith(('.', '?', '!')) else '.'}", file=sys.stderr, flush=True)


def _client(
    wish: Wish,
    reactor: Any,
    tell: Callable[[Any], None],
    first_seen: Callable[[str], None],
    complain: Callable[[str], None],
    *,
    piped: bool,
) -> Any:
    """Return the client for the server; it logs in if a login is remembered.

    Args:
        wish: What the command line and the config file ask for.
        reactor: Twisted's reactor.
        tell: Called with each event and notice.
        first_seen: Called with the fingerprint of the server's key, if the server was never seen before.
        complain: Called with a sentence when a login cannot be saved.
        piped: Whether the client runs in a pipe; it then uses neither the last login nor the last name.
    """
    from chatroom.client.bot import mint
    from chatroom.client.client import Client
    from chatroom.client.device import this_client
    from chatroom.client.dialing import Dialer
    from chatroom.client.guest_name import GuestName
    from chatroom.client.guest_secret import secret
    from chatroom.client.tokens import Tokens

    dialer = Dialer(reactor, wish.host, wish.port, wish.known, plain=wish.plain, first_seen=first_seen)
    tokens = Tokens(wish.state / "tokens.json")
    # Others may read a secret that is sent in plain text, so it is not the one for TLS, and has a folder of its own.
    folder = wish.folder / "plain" if wish.plain else wish.folder
    myself = secret(folder, mint)
    guest = GuestName(folder, myself)
    client = Client(
        dialer.connect,
        reactor,
        mint,
        tell,
        name=wish.config.name or ("" if piped else guest.load()),
        room=wish.config.rooms,
        several=not piped or len(wish.config.rooms) > 1,
        history=0 if wish.records else None,
        login=_remembered(tokens, dialer.server, wish.config.name) if wish.config.name or not piped else None,
        client=f"chatroom-client on {gethostname()}",
        keep=_keeping(tokens, dialer.server, complain),
        keep_name=guest.keep,
        secret=myself,
        device=this_client(wish.state),
    )
    return _with_keys(client, wish, reactor)


def _with_keys(client: Any, wish: Wish, reactor: Any) -> Any:
    """Let a client read and write encrypted messages, with its keys in a vault, if its server knows keys.

    What is needed for that is loaded then, on a thread, because that takes a quarter of a second. Returns the client.
    """
    from twisted.internet.threads import deferToThread

    from chatroom.client.known_keys import knows_keys
    from chatroom.client.sealing import LateSealing

    def late(conversation: Any) -> LateSealing:
        def load() -> Any:
            return deferToThread(_sealing, client, conversation, wish, reactor)

        return LateSealing(lambda: knows_keys(wish.folder, conversation.state.features), load)

    client.seal(late)
    return client


def _sealing(client: Any, conversation: Any, wish: Wish, reactor: Any) -> Callable[[], Any]:
    """Load what seals and opens, and return what makes it. This may be called on any thread, the other may not."""
    from chatroom.client.bot import mint
    from chatroom.client.encryption.device_labels import default_label
    from chatroom.client.encryption.setup import in_vault, make_late
    from chatroom.client.vault.vault_key import KEY_FILE

    store = in_vault(wish.state / VAULTS, wish.passphrase, wish.state / KEY_FILE, reactor, client.privacy)
    return lambda: make_late(client, conversation, store, mint, default_label(), reactor)


def _remembered(tokens: Any, server: str, user: str) -> Any:
    """Return the login of an account whose token is kept; None if there is none.

    Args:
        tokens: The tokens that are kept.
        server: Host and port.
        user: The name of the account; empty for the account that was used last.
    """
    from chatroom.client.login import LoginState

    known = tokens.find(server, user)
    return LoginState(known[0], token=known[1]) if known else None


def _keeping(tokens: Any, server: str, complain: Callable[[str], None]) -> Callable[[str, str], None]:
    """Return a function that saves the token of an account of a server, and complains if that fails."""

    def keep(user: str, token: str) -> None:
        try:
            tokens.keep(server, user, token)
        except OSError as error:
            complain(f"the login cannot be remembered in {tokens.path}: {error.strerror}.")

    return keep


def _pipe(wish: Wish) -> int:
    """Run the client in a pipe until it ends. Returns the exit status."""
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until _Signals handles it: end without a traceback
    from twisted.internet import reactor, stdio

    from chatroom.client.files.commands import FileCommands
    from chatroom.client.files.direct_files import over_links
    from chatroom.client.files.transfers import Transfers
    from chatroom.client.pipe import Pipe

    running: Any = reactor
    pipe = Pipe(running, _complain, records=wish.records, patience=wish.patience, several=len(wish.config.rooms) > 1)
    client = _client(wish, running, pipe.told, lambda key: _complain(_first_seen(wish, key)), _complain, piped=True)
    transfers = Transfers(client, spell(wish.host, wish.port), running)
    files = FileCommands(transfers, wish.downloads, pipe.say, over_links(transfers))
    status = _Signals(running, pipe.interrupt)
    pipe.ended.addCallback(lambda result: running.stop())

    def begin() -> None:
        status.catch()
        stdio.StandardIO(pipe, reactor=running)
        pipe.begin(client, files)

    accepting = _accepting(wish, running, _complain, begin) if wish.accept else None
    running.callWhenRunning(accepting.begin if accepting is not None else begin)
    with standard_streams.left_as_found():
        running.run(installSignalHandlers=False)
    return status.value or (accepting.status if accepting is not None else 0) or pipe.status


class _Signals:
    """Lets SIGINT and SIGTERM end the client properly; a second signal ends the process at once.

    Args:
        reactor: Twisted's reactor; it runs whenever a signal comes.
        end: Lets the client leave the server and end.

    Attributes:
        value: The exit status that shells expect after the signal; 0 before any signal.
    """

    def __init__(self, reactor: Any, end: Callable[[], None]) -> None:
        self.value = 0
        self._reactor = reactor
        self._end = end

    def catch(self) -> None:
        """Handle both signals from now on; SIGINT stays ignored if it was, as for a background job of a script."""
        for number in (signal.SIGINT, signal.SIGTERM):
            if number == signal.SIGTERM or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._caught)

    def _caught(self, number: int, frame: object) -> None:
        if self.value:
            os._exit(self.value)
        self.value = 128 + number
        self._reactor.callFromThread(self._end)


def _screen(wish: Wish) -> int:
    """Run the client on the terminal until the user leaves. Returns the exit status."""
    from twisted.internet import asyncioreactor

    asyncioreactor.install()
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred

    from chatroom.client.screen.running import run
    from chatroom.client.screen.terminal_features import has_links, way_to_notify
    from chatroom.model.replies import Error, Ok

    running: Any = reactor
    address = spell(wish.host, wish.port)
    config = wish.config
    colours = None if config.colours else False
    can = has_links(os.environ, config.links), way_to_notify(os.environ, config.notify)
    settings = ScreenSettings(address, wish.folder, wish.downloads, config.bell, config.timestamps, colours, *can)
    failures: list[Any] = []

    def begin() -> None:
        def client(tell: Callable[[Any], None]) -> Any:
            def first_seen(key: str) -> None:
                tell(Ok(f"{_first_seen(wish, key)}."))

            def complain(text: str) -> None:
                tell(Error("not-remembered", text))

            return _client(wish, running, tell, first_seen, complain, piped=False)

        started = run(running, client, settings)
        Deferred.fromCoroutine(started).addErrback(failures.append).addCallback(lambda result: _stop(running))

    running.callWhenRunning(begin)
    running.run()
    for failure in failures:
        _complain(f"the client has an error: {failure.getErrorMessage()}")
    return 1 if failures else 0


def _stop(reactor: Any) -> None:
    """Stop the reactor if it still runs."""
    from twisted.internet.error import ReactorNotRunning

    with suppress(ReactorNotRunning):  # a signal has stopped the reactor already
        reactor.stop()


def _first_seen(wish: Wish, key: str) -> str:
    """Return the message about a server's key that is new and is remembered now."""
    server = spell(wish.host, wish.port)
    return f"{server} is seen for the first time; its key {key} is remembered in {wish.known.path}"


def _accept(wish: Wish) -> int:
    """Accept the server's new key, and do nothing else. Returns the exit status."""
    from twisted.internet import reactor

    running: Any = reactor
    accepting = _accepting(wish, running, print, running.stop)
    running.callWhenRunning(accepting.begin)
    running.run()
    return int(accepting.status)


def _accepting(wish: Wish, reactor: Any, say: Callable[[str], object], then: Callable[[], None]) -> Any:
    """Return what carries out ``--accept-new-key``: it tells the result to ``say``, and then calls ``then``."""
    from chatroom.client.accept_new_key import KeyAcceptance

    return KeyAcceptance(reactor, wish.host, wish.port, wish.known, say, _complain, then)


if __name__ == "__main__":
    main()
