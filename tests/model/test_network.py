"""What counts as one place that connections come from."""

from __future__ import annotations

import pytest

from chatroom.model.network import is_local, network


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("", ""),
        ("localhost", ""),
        ("192.0.2.256", ""),
    ],
)
def test_one_place_is_an_address_or_an_ipv6_network(host: str, place: str) -> None:
    assert network(host) == place


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("", True),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("10.0.0.1", False),
    ],
)
def test_local_is_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local
