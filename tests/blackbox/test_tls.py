"""TLS with the real daemon: Python's ssl and ``openssl s_client`` beside telnet, on the one port, in the same room."""

from __future__ import annotations

import random
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, Peer, needs, run_twistd
from blackbox.test_files import CHUNK, offer, upload
from blackbox.test_telnet_and_nc import Terminal
from cryptography import x509
from daemon.test_tls_files import make_pair
from tls_client import client_context

from chatroom.model.errors import LOGIN_NEEDS_TLS, NEEDS_TLS
from chatroom.model.fingerprint import fingerprint

SHOWN = r"TLS fingerprint \(SHA-256 of the key\) (SHA256:\S+)"


class SecurePeer(Peer):
    """A blocking client inside TLS, which trusts everybody.

    Args:
        daemon: Whom to come to; it closes us with itself.
        receive_buffer: As for ``Peer``.
        context: How we speak.
    """

    _socket: ssl.SSLSocket

    def __init__(self, daemon: Daemon, *, receive_buffer: int = 0, context: ssl.SSLContext | None = None) -> None:
        super().__init__(daemon.port, receive_buffer=receive_buffer)
        daemon._peers.append(self)
        self._socket = (context or client_context()).wrap_socket(self._socket)  # type: ignore[has-type]

    @property
    def fingerprint(self) -> str:
        """The server's key."""
        certificate = self._socket.getpeercert(True)
        assert certificate
        return fingerprint(x509.load_der_x509_certificate(certificate))

    def named(self, name: str, room: str = "") -> SecurePeer:
        """Be called so, and be in that room, having heard all of that."""
        self.say(f"/name {name}", *([f"/join {room}"] if room else []))
        self.until(lambda line: line.startswith("Current users: " if room else "You are now "))
        self.name = name
        return self


class OpenSSL:
    """``openssl s_client`` in a pipe."""

    def __init__(self, port: int, *options: str) -> None:
        command = [needs("openssl"), "s_client", *options, "-connect", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self._output = self.process.stdin, self.process.stdout

    def say(self, *lines: str) -> None:
        self._input.write("".join(f"{line}\n" for line in lines).encode())

    def until(self, wanted: str) -> str:
        """Return the first line that has this in it."""
        while line := self._output.readline().decode():
            if wanted in line:
                return line.rstrip("\r\n")
        raise AssertionError(f"openssl ended without {wanted!r}")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


# ---- handshakes that nobody finishes ------------------------------------------------------------------------------


def test_unfinished_handshakes_keep_nobody_out_and_leave_descriptors_for_files(tmp_path: Path) -> None:
    """There are 250 descriptors, and 300 who begin a handshake and say no more."""
    data = random.Random(9).randbytes(3 * CHUNK + 77)
    with Daemon(tmp_path, descriptors=250) as daemon, ExitStack() as attackers:
        members = [daemon.person(f"member{number}", "lobby") for number in range(20)]
        bot = daemon.program("bot", "files")
        for _ in range(300):
            attacker = attackers.enter_context(socket.create_connection(("127.0.0.1", daemon.port), DEADLINE))
            attacker.sendall(b"\x16\x03\x01\x02\x00\x01")
        plain = daemon.person("plain", "lobby")
        secure = SecurePeer(daemon).named("secure", "lobby")
        file = offer(bot, data)["file"]
        upload(bot, file, data)
        secure.say("hello")
        for member in (members[0], members[-1], plain):
            member.until(lambda line: line == "secure: hello")


# ---- one port ----------------------------------------------------------------------------------------------------


def test_people_with_and_without_tls_meet_on_the_one_port(daemon: Daemon) -> None:
    alice = SecurePeer(daemon).named("alice", "lobby")
    telnet = Terminal(needs("telnet"), "127.0.0.1", str(daemon.port))
    openssl = OpenSSL(daemon.port, "-quiet")
    try:
        telnet.type("/name bob\r/join lobby\r")
        alice.expect("bob has joined the room.")
        openssl.say("/name carl", "/join lobby")
        alice.expect("carl has joined the room.")
        alice.ask("hello", "alice: hello")
        telnet.see("alice: hello")
        assert openssl.until("hello") == "alice: hello"
        openssl.say("hi from openssl")
        alice.expect("carl: hi from openssl")
        telnet.type("hi from telnet\r")
        alice.expect("bob: hi from telnet")
        assert openssl.until("telnet") == "bob: hi from telnet"
    finally:
        telnet.close()
        openssl.close()


def test_what_a_script_says_by_openssl_is_said(daemon: Daemon) -> None:
    """``printf … | openssl s_client`` ends with its input and does not wait."""
    alice = SecurePeer(daemon).named("alice", "lobby")
    command = [needs("openssl"), "s_client", "-connect", f"127.0.0.1:{daemon.port}"]
    said = b"/name bob\n/join lobby\nthe build is done\n"
    subprocess.run(command, input=said, capture_output=True, timeout=DEADLINE, check=True)
    alice.expect("bob has joined the room.", "bob: the build is done", "bob has disconnected.")


def test_a_program_comes_by_tls(daemon: Daemon) -> None:
    bot = SecurePeer(daemon)
    bot.record(do="hello", version=1, name="bot")
    bot.event(event="welcome", you="bot")


def test_its_key_is_the_one_of_the_log_and_stays(daemon: Daemon, tmp_path: Path) -> None:
    shown = daemon.log.wait_for(SHOWN)[1]
    assert SecurePeer(daemon).fingerprint == shown
    assert (daemon.data / "tls_key.pem").stat().st_mode & 0o777 == 0o600
    assert daemon.stop() == 0
    with Daemon(tmp_path) as again:
        assert again.log.wait_for(SHOWN)[1] == SecurePeer(again).fingerprint == shown


def test_the_certificate_can_be_checked_by_who_has_it(daemon: Daemon) -> None:
    context = ssl.create_default_context(cafile=str(daemon.data / "tls_cert.pem"))
    with context.wrap_socket(Peer(daemon.port)._socket, server_hostname="127.0.0.1") as checked:
        assert checked.version() == "TLSv1.3"


def test_a_daemon_that_keeps_nothing_has_one_too(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--ephemeral", keep=False) as daemon:
        assert SecurePeer(daemon).fingerprint == daemon.log.wait_for(SHOWN)[1]
    assert not list(tmp_path.rglob("*.pem"))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_tls_1_1_is_refused(daemon: Daemon) -> None:
    context = client_context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        SecurePeer(daemon, context=context)


def test_nobody_negotiates_anew(daemon: Daemon) -> None:
    alice = SecurePeer(daemon).named("alice")
    openssl = OpenSSL(daemon.port, "-tls1_2")
    try:
        openssl.until("Welcome to chatroom.")
        openssl.say("R")
        openssl.until("RENEGOTIATING")
        openssl.until("no renegotiation")
        assert openssl.process.wait(DEADLINE) != 0
    finally:
        openssl.close()
    alice.nothing_more()


def test_strangers_do_not_disturb_the_chat(daemon: Daemon) -> None:
    """No traceback is logged, as the daemon's end makes sure."""
    alice = SecurePeer(daemon).named("alice")
    for first in (b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 300, b"\x16" + b"\xff" * 70_000):
        for end in (Peer.reset, Peer.half_close, Peer.close):
            stranger = daemon.connect()
            stranger.send(first)
            with suppress(OSError):
                end(stranger)
    alice.nothing_more()
    for number in range(5):
        SecurePeer(daemon).named(f"p{number}").reset()
    alice.say("/who")
    alice.until(lambda line: line.startswith("  alice"))


def test_at_the_end_everybody_is_told_and_sees_a_clean_end(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        alice = SecurePeer(daemon).named("alice", "lobby")
        assert daemon.stop() == 0
        assert alice.line().startswith("The server is shutting down")
        alice.eof()  # a connection that just broke would be an error


# ---- a slow reader -----------------------------------------------------------------------------------------------


def test_a_slow_reader_among_twenty_is_dropped_and_the_others_chat_on(tmp_path: Path) -> None:
    text = "x" * 4000
    with Daemon(tmp_path, "--sendq", "20000") as daemon:
        SecurePeer(daemon, receive_buffer=4096).named("slow", "lobby")
        people = [SecurePeer(daemon).named(f"p{number}", "lobby") for number in range(20)]
        for number, person in enumerate(people):
            person.expect(*(f"p{later} has joined the room." for later in range(number + 1, 20)))
        for number in range(3000):
            people[number % 20].say(text)
            heard = [person.line() for person in people]
            if "slow has disconnected." in heard or "slow dropped: too slow" in daemon.log.text:
                break  # whichever we read first
            assert heard == [f"p{number % 20}: {text}"] * 20
        else:
            pytest.fail("the slow one was not dropped")
        left = [
            person.until(lambda line: "slow" in line) if "slow" not in line else [line]
            for person, line in zip(people, heard, strict=True)
        ]
        assert {lines[-1] for lines in left} == {"slow has disconnected."}
        daemon.log.wait_for("slow dropped: too slow")
        people[0].say("still here")
        for person in people:
            person.until(lambda line: line == "p0: still here")


def test_a_slow_reader_who_wakes_up_gets_all_up_to_the_end(tmp_path: Path) -> None:
    """What is held when the server closes the connection is delivered before."""
    with Daemon(tmp_path, "--sendq", "0") as daemon:
        alice = daemon.person("alice", "lobby")
        slow = SecurePeer(daemon, receive_buffer=4096).named("slow", "lobby")
        alice.expect("slow has joined the room.")
        text = "y" * 4000
        for _ in range(2000):
            alice.ask(text, f"alice: {text}")
        slow.say("/quit")
        alice.until(lambda line: line.startswith("slow has "))
        for _ in range(2000):
            assert slow.line() == f"alice: {text}"
        slow.expect("Goodbye!")
        slow.eof()


# ---- the operator's certificate ----------------------------------------------------------------------------------


def test_it_is_renewed_at_sighup_under_live_connections(tmp_path: Path) -> None:
    files = make_pair(tmp_path)
    with Daemon(tmp_path, "--tls-cert", "cert.pem", "--tls-key", "key.pem") as daemon:
        before = SecurePeer(daemon).named("alice", "lobby")
        make_pair(tmp_path)
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("options read again")
        new = fingerprint(x509.load_pem_x509_certificate(files.certificate.read_bytes()))
        after = SecurePeer(daemon).named("bob", "lobby")
        assert before.fingerprint != after.fingerprint == new
        before.expect("bob has joined the room.")
        before.ask("hi", "alice: hi")
        after.expect("alice: hi")
        assert re.findall(SHOWN, daemon.log.text) == [before.fingerprint, new]


def test_a_bad_pair_keeps_the_old(tmp_path: Path) -> None:
    files = make_pair(tmp_path)
    with Daemon(tmp_path, "--tls-cert", "cert.pem", "--tls-key", "key.pem") as daemon:
        before = SecurePeer(daemon).fingerprint
        files.key.write_text("garbage")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("the TLS certificate stays as it was: .*the second holds no private key in PEM")
        assert SecurePeer(daemon).fingerprint == before


@pytest.mark.parametrize("bad", ["cert.pem", "key.pem"])
def test_a_bad_pair_at_the_start_is_one_sentence(tmp_path: Path, bad: str) -> None:
    make_pair(tmp_path)
    (tmp_path / bad).write_text("garbage")
    done = run_twistd(
        tmp_path, "-n", "chatroom", "--ephemeral", "--port", "0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"
    )
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("chatroom: ")
    assert "give another with --tls-" in sentence


# ---- when it is required -----------------------------------------------------------------------------------------


def test_logins_may_need_it(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--require-tls", "login") as daemon:
        bob = daemon.person("bob", "lobby")
        SecurePeer(daemon).say("/register alice secret")
        bob.expect("alice has entered the chat.")
        for line in ("/login alice secret", "/login", "/register bob secret"):
            bob.ask(line, f"Error: {LOGIN_NEEDS_TLS.text}")
        bob.ask("hi", "bob: hi")


def test_everybody_may_need_it(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--require-tls", "all") as daemon:
        plain = daemon.connect()
        plain.expect(f"Error: {NEEDS_TLS.text}")
        plain.eof()
        SecurePeer(daemon).named("alice", "lobby").ask("hi", "alice: hi")
