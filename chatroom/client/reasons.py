"""Why there is no connection, in words that say what to do."""

from __future__ import annotations

from typing import Any

from twisted.internet import error
from twisted.python.failure import Failure


class Failed(Exception):
    """There is no connection, or no longer one.

    Args:
        why: A sentence without its full stop.
        hopeless: Trying again would be no use before somebody has decided something.
    """

    def __init__(self, why: str, *, hopeless: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.hopeless = hopeless


def why_not_connected(failure: Failure, server: str, *, tls: bool) -> Failed:
    """Return why a connection could not be made.

    Args:
        failure: What Twisted says.
        server: Host and port.
        tls: It should have been protected.
    """
    value: Any = failure.value
    if isinstance(value, Failed):
        return value
    if isinstance(value, error.ConnectionRefusedError):
        return Failed(f"{server} refused the connection; is the server running, and is this its port?")
    if isinstance(value, error.DNSLookupError):
        return Failed(f"there is no host called {server.rpartition(':')[0]}; check the spelling")
    if isinstance(value, error.TimeoutError | error.TCPTimedOutError):
        return Failed(f"{server} did not answer in time")
    if isinstance(value, error.NoRouteError):
        return Failed(f"there is no way to {server} from here; is the network up?")
    if tls and (_is_of_openssl(value) or isinstance(value, error.ConnectionClosed)):
        return Failed(f"{server} does not speak TLS with us{_detail(value)}; a server without TLS needs --plain")
    return Failed(f"there is no connection to {server}: {_words(value)}")


def why_lost(failure: Failure, server: str) -> Failed:
    """Return why a connection has ended. See ``why_not_connected``."""
    value: Any = failure.value
    if isinstance(value, Failed):
        return value
    if isinstance(value, error.ConnectionDone):
        return Failed(f"{server} closed the connection")
    if _is_of_openssl(value):
        return Failed(f"the protected connection to {server} was broken{_detail(value)}")
    return Failed(f"the connection to {server} was lost")


def _is_of_openssl(value: object) -> bool:
    return type(value).__module__.startswith("OpenSSL")


def _detail(value: Any) -> str:
    """OpenSSL's errors are lists of triples; the last word of the last is the one that tells something."""
    try:
        return f" ({value.args[0][-1][-1]})"
    except (IndexError, TypeError, AttributeError):
        return ""


def _words(value: BaseException) -> str:
    return " ".join(str(value).split()).rstrip(".") or type(value).__name__
