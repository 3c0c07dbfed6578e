"""The daemon's certificate: made once, given by the operator, read again when its files change."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from harness import World
from tls_client import SecureClient
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.daemon.tls_files import LOOK, BadPair, Certificates, PairFiles, own_files, passing_pair
from chatroom.model.fingerprint import fingerprint


def certificate_of(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def make_pair(folder: Path, key: Any = None, *, days: int = 10, since: int = 100) -> PairFiles:
    """Write a pair as an operator would have it, valid since so many days and for so many more."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chat.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=since))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    files = PairFiles(folder / "cert.pem", folder / "key.pem")
    files.certificate.write_bytes(made.public_bytes(Encoding.PEM))
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


# ---- one of our own ----------------------------------------------------------------------------------------------


def test_the_first_start_makes_a_pair(tmp_path: Path) -> None:
    files = own_files(tmp_path, "box.example.org")
    made = certificate_of(files.certificate)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tls_cert.pem", "tls_key.pem"]
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.key.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert isinstance(key := made.public_key(), ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert made.subject.rfc4514_string() == "CN=box.example.org"
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "box.example.org"}
    assert set(names.get_values_for_type(x509.IPAddress)) == {ip_address("127.0.0.1"), ip_address("::1")}
    assert timedelta(days=3649) < made.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=3650)


def test_the_next_start_finds_it(tmp_path: Path) -> None:
    first = own_files(tmp_path, "box").load().fingerprint
    before = (tmp_path / "tls_cert.pem").read_bytes()
    assert own_files(tmp_path, "another").load().fingerprint == first
    assert (tmp_path / "tls_cert.pem").read_bytes() == before


def test_a_certificate_that_is_missing_is_made_for_the_same_key(tmp_path: Path) -> None:
    """As after a crash between the two; clients know the server by the key."""
    first = own_files(tmp_path, "box").load().fingerprint
    (tmp_path / "tls_cert.pem").unlink()
    assert own_files(tmp_path, "box").load().fingerprint == first


def test_a_key_that_is_missing_means_a_new_pair(tmp_path: Path) -> None:
    first = own_files(tmp_path, "box").load().fingerprint
    (tmp_path / "tls_key.pem").unlink()
    assert own_files(tmp_path, "box").load().fingerprint != first


def test_what_a_crash_left_half_written_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "tls_key.new").write_bytes(b"-----BEGIN")
    assert own_files(tmp_path, "box").load()
    assert not list(tmp_path.glob("*.new"))


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    files = own_files(tmp_path, "box")
    files.key.chmod(0o640)
    with pytest.raises(BadPair, match=f"others may read the TLS key {files.key}; chmod 600 it"):
        files.load()


def test_a_damaged_key_without_a_certificate_is_refused(tmp_path: Path) -> None:
    own_files(tmp_path, "box")
    (tmp_path / "tls_cert.pem").unlink()
    (tmp_path / "tls_key.pem").write_bytes(b"garbage")
    with pytest.raises(BadPair, match="is damaged; remove it"):
        own_files(tmp_path, "box")


@pytest.mark.parametrize("host", ["x" * 64, "b\xf6x", "under_score"])
def test_any_name_of_a_machine_will_do(host: str) -> None:
    assert passing_pair(host).fingerprint


def test_what_is_kept_nowhere_is_another_each_time() -> None:
    assert passing_pair("box").fingerprint != passing_pair("box").fingerprint


def test_the_fingerprint_is_the_keys(tmp_path: Path) -> None:
    """A certificate that is renewed for the same key has the same; and it looks as ``ssh`` shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    shown = {fingerprint(certificate_of(make_pair(tmp_path, key, days=days).certificate)) for days in (1, 2)}
    assert len(shown) == 1
    assert re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", shown.pop())


# ---- the operator's ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        partial(ec.generate_private_key, ec.SECP384R1()),
        partial(rsa.generate_private_key, 65537, 2048),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_any_kind_of_key_will_do(tmp_path: Path, make: Any) -> None:
    assert make_pair(tmp_path, make()).load().fingerprint


def test_the_chain_is_given_along(tmp_path: Path) -> None:
    other = make_pair(tmp_path).certificate.read_bytes()
    files = make_pair(tmp_path)
    files.certificate.write_bytes(files.certificate.read_bytes() + other)
    assert files.load().fingerprint == fingerprint(certificate_of(files.certificate))


def spoil_certificate(files: PairFiles) -> None:
    files.certificate.write_bytes(b"garbage")


def damage(files: PairFiles, old: bytes, new: bytes) -> None:
    """Change what is in the certificate, which is still one in PEM."""
    der = certificate_of(files.certificate).public_bytes(Encoding.DER)
    assert old in der
    body = b64encode(der.replace(old, new)).decode()
    files.certificate.write_text(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")


def damage_public_key(files: PairFiles) -> None:
    point = certificate_of(files.certificate).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    damage(files, point, point[:-1] + bytes([point[-1] ^ 1]))


def change_kind_of_key(files: PairFiles) -> None:
    damage(files, bytes.fromhex("2a8648ce3d0201"), bytes.fromhex("2a8648ce3d027f"))


def damage_name(files: PairFiles) -> None:
    damage(files, b"chat.example.org", b"chat.\xffxample.org")


def spoil_key(files: PairFiles) -> None:
    files.key.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def lock_key(files: PairFiles) -> None:
    key = load_pem_private_key(files.key.read_bytes(), None)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))


def change_key(files: PairFiles) -> None:
    kept = files.certificate.read_bytes()
    make_pair(files.key.parent)
    files.certificate.write_bytes(kept)


def swap(files: PairFiles) -> None:
    certificate = files.certificate.read_bytes()
    files.certificate.write_bytes(files.key.read_bytes())
    files.key.write_bytes(certificate)


def remove_key(files: PairFiles) -> None:
    files.key.unlink()


def fill_pipe(files: PairFiles) -> None:
    files.key.unlink()
    os.mkfifo(files.key)


SPOILED = [
    (spoil_certificate, "the first holds no certificate in PEM"),
    (damage_public_key, "the first holds no certificate in PEM"),
    (change_kind_of_key, "the first holds no certificate in PEM"),
    (damage_name, "are of no use for TLS"),
    (spoil_key, "the second holds no private key in PEM"),
    (lock_key, "the key has a password"),
    (change_key, "do not belong together"),
    (swap, "holds no certificate in PEM"),
    (remove_key, "cannot be read: No such file or directory"),
    (fill_pipe, "is no plain file"),
]


@pytest.mark.parametrize(("spoil", "why"), SPOILED)
def test_a_pair_of_no_use_is_named_in_one_sentence(tmp_path: Path, spoil: Any, why: str) -> None:
    files = make_pair(tmp_path)
    spoil(files)
    with pytest.raises(BadPair, match=re.escape(why)) as caught:
        files.load()
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


# ---- read again --------------------------------------------------------------------------------------------------


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What was logged of certificates."""
    lines: list[str] = []

    def observe(event: dict[str, Any]) -> None:
        if event.get("log_namespace") == "chatroom.daemon.tls_files":
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


class Kept:
    """A pair in files, looked after by a clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.folder = folder
        self.files = make_pair(folder)
        self.certificates = Certificates(self.clock, self.files, self.files.load())
        self.certificates.open()

    def wait(self) -> str:
        """Return whose certificate is given out after the next look."""
        self.clock.advance(LOOK)
        return self.certificates.fingerprint


@pytest.fixture
def kept(tmp_path: Path, logged: list[str]) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.certificates._looks.stop()
    assert not made.clock.getDelayedCalls()


def test_the_fingerprint_is_said_at_each_start(kept: Kept, logged: list[str]) -> None:
    shown = fingerprint(certificate_of(kept.files.certificate))
    assert logged == [f"TLS fingerprint (SHA-256 of the key) {shown}"]


def test_a_pair_that_changes_is_noticed(kept: Kept, logged: list[str]) -> None:
    first = kept.certificates.fingerprint
    make_pair(kept.folder)
    assert kept.certificates.fingerprint == first
    assert kept.wait() == fingerprint(certificate_of(kept.files.certificate)) != first
    assert len(logged) == 2


def test_a_pair_that_stays_is_not_read_again(kept: Kept, logged: list[str]) -> None:
    for _ in range(5):
        kept.wait()
    assert len(logged) == 1


@pytest.mark.parametrize(("spoil", "why"), SPOILED)
def test_a_bad_pair_keeps_the_old_and_says_why_once(kept: Kept, logged: list[str], spoil: Any, why: str) -> None:
    first = kept.certificates.fingerprint
    spoil(kept.files)
    assert kept.wait() == kept.wait() == first
    assert len(logged) == 2
    assert logged[1].startswith("the TLS certificate stays as it was: ")
    assert why in logged[1]
    kept.files.key.unlink(missing_ok=True)
    make_pair(kept.folder)
    assert kept.wait() != first


def test_who_is_there_keeps_theirs_and_who_comes_gets_the_new(kept: Kept) -> None:
    world = World()
    world.factory.unwrapping = TLSMemoryBIOFactory(kept.certificates, False, world.factory, world.clock)
    alice = SecureClient(world)
    make_pair(kept.folder)
    kept.wait()
    bob = SecureClient(world)
    alice.say("/name alice")
    assert alice.lines()[-1] == "You are now alice."
    seen = [x509.load_der_x509_certificate(client.tls.getpeercert(True) or b"") for client in (alice, bob)]
    assert fingerprint(seen[0]) != fingerprint(seen[1]) == kept.certificates.fingerprint
    world.close()


def test_one_that_has_ended_is_used_and_complained_about(tmp_path: Path, logged: list[str]) -> None:
    """To refuse it would leave people without a chat; their clients decide."""
    files = make_pair(tmp_path, days=-2)
    certificates = Certificates(Clock(), files, files.load())
    certificates._tell()
    assert re.fullmatch(r"the TLS certificate ended on \d{4}-\d\d-\d\d; renew it", logged[1])


def test_one_that_is_kept_nowhere_has_nothing_to_read_again(logged: list[str]) -> None:
    certificates = Certificates(Clock(), None, passing_pair("box"))
    certificates.reload()
    certificates._look()
    assert logged == []
