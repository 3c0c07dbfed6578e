"""What is judged about the other side of a link: its certificate, its protocol and the version of TLS."""

from __future__ import annotations

from typing import Any

import pytest
from client.direct.strangers import PROPER
from client.direct.two_clients import NOW

from chatroom.client.direct.certificate import new_certificate
from chatroom.client.direct.pinned_tls import ALPN, PinnedTLS

STRANGER = new_certificate(NOW)


class Shaken:
    """A finished handshake, as ``PinnedTLS.accepts`` looks at it."""

    def __init__(self, shown: Any = PROPER.certificate, alpn: bytes = ALPN, version: str = "TLSv1.3") -> None:
        self._tlsConnection = self
        self._shown = shown
        self._version = version
        self.negotiatedProtocol = alpn

    def get_peer_certificate(self, *, as_cryptography: bool) -> Any:
        """See pyOpenSSL."""
        return self._shown

    def get_protocol_version_name(self) -> str:
        """See pyOpenSSL."""
        return self._version


@pytest.mark.parametrize(
    "changes",
    [{"shown": STRANGER.certificate}, {"shown": None}, {"alpn": None}, {"alpn": b"h2"}, {"version": "TLSv1.2"}],
)
def test_a_finished_handshake_is_looked_at_again(changes: dict[str, Any]) -> None:
    tls = PinnedTLS(new_certificate(NOW), PROPER.pin)
    proper: Any = Shaken()
    assert tls.accepts(proper)
    wrong: Any = Shaken(**changes)
    assert not tls.accepts(wrong)


class Judged:
    """What the judgement about a certificate is noted in."""

    distrusted = False


class Broken:
    """A certificate that cannot be read."""

    def to_cryptography(self) -> Any:
        """See pyOpenSSL."""
        raise ValueError


class Readable:
    """A certificate."""

    def __init__(self, certificate: Any) -> None:
        self.to_cryptography = lambda: certificate


@pytest.mark.parametrize(
    ("certificate", "depth"),
    [(Broken(), 0), (Readable(STRANGER.certificate), 0), (Readable(PROPER.certificate), 1)],
    ids=["one that cannot be read", "a stranger's", "the proper one as that of an authority"],
)
def test_a_certificate_that_is_not_the_pinned_one_is_distrusted_for_good(certificate: Any, depth: int) -> None:
    noted: Any = Judged()
    judge = PinnedTLS(new_certificate(NOW), PROPER.pin)._judge(noted)
    nothing: Any = None
    assert judge(nothing, certificate, 0, depth, 1) is False
    assert noted.distrusted
    assert judge(nothing, Readable(PROPER.certificate), 0, 0, 1) is True
    assert noted.distrusted
