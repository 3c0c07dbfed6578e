"""Addresses for direct links: nobody can make a client dial, or reveal, what it should not."""

from __future__ import annotations

import socket

import pytest

from chatroom.client.direct import candidates
from chatroom.client.direct.candidates import Candidate, dialable, is_loopback, own_addresses, source_address, usable


def at(ip: str, port: int = 40000) -> Candidate:
    """Return a candidate."""
    return Candidate(ip=ip, port=port)


@pytest.mark.parametrize("ip", ["192.168.1.5", "10.0.0.5", "8.8.8.8", "100.64.3.4", "2a00:1450::1", "fd12::7"])
def test_addresses_of_networks_are_dialled(ip: str) -> None:
    assert dialable([at(ip)], loopback=False) == [at(ip)]


@pytest.mark.parametrize(
    "ip",
    [
        "::ffff:127.0.0.1",  # IPv4 in IPv6
        "::ffff:10.0.0.5",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::",
        "0.0.0.0",  # unspecified
        "0.1.2.3",
        "::",
        "fe80::1%lo",  # zones
        "fd00::1%eth0",
        "fe80::1",  # of one link
        "169.254.169.254",
        "fec0::1",
        "224.0.0.1",  # multicast
        "239.255.255.250",
        "ff02::1",
        "240.0.0.1",  # reserved
        "255.255.255.255",
        "4000::1",
        "example.org",  # names, and spellings of which others make addresses
        "localhost",
        "",
        "10.0.0.5:80",
        "[fd00::1]",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        " 10.0.0.5",
        "10.0.0.5\0",
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_these_are_never_dialled_nor_named(ip: str, loopback: bool) -> None:
    assert dialable([at(ip)], loopback=loopback) == []
    assert own_addresses("127.0.0.1" if loopback else "8.8.8.8", lambda towards: ip) == []


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_dialled_only_by_a_client_whose_server_is_on_it(ip: str) -> None:
    assert dialable([at(ip)], loopback=False) == []
    assert dialable([at(ip)], loopback=True) == [at(ip)]


@pytest.mark.parametrize("port", [-1, 0, 22, 1023, 65536, 1 << 40])
def test_ports_of_services_are_never_dialled(port: int) -> None:
    assert dialable([at("10.0.0.5", port)], loopback=False) == []
    assert dialable([at("10.0.0.5", 1024)], loopback=False) == [at("10.0.0.5", 1024)]
    assert dialable([at("10.0.0.5", 65535)], loopback=False) == [at("10.0.0.5", 65535)]


def test_an_address_is_dialled_once_however_it_is_spelled() -> None:
    assert dialable([at("fd00::1"), at("FD00:0::0001"), at("fd00::1")], loopback=False) == [at("fd00::1")]


def test_at_most_eight_are_dialled() -> None:
    assert len(dialable([at(f"10.0.0.{n}") for n in range(20)], loopback=False)) == 8


# ---- our own ---------------------------------------------------------------------------------------------------------


def test_our_addresses_are_those_on_the_routes_to_the_server_and_elsewhere_each_once() -> None:
    routes = {"203.0.113.9": "192.168.1.5", "192.0.2.1": "192.168.1.5", "2001:db8::1": "2a00:1450::5"}
    assert own_addresses("203.0.113.9", lambda towards: routes.get(towards, "")) == ["192.168.1.5", "2a00:1450::5"]


def test_without_a_server_the_other_routes_are_asked() -> None:
    asked: list[str] = []
    own_addresses("", lambda towards: asked.append(towards) or "")  # type: ignore[func-returns-value]
    assert asked == list(candidates.TOWARDS)


@pytest.mark.parametrize(("server", "named"), [("127.0.0.1", True), ("::1", True), ("8.8.8.8", False), ("", False)])
def test_loopback_is_named_only_by_a_client_that_reached_the_server_over_it(server: str, named: bool) -> None:
    assert ("127.0.0.1" in own_addresses(server, lambda towards: "127.0.0.1")) is named


def test_at_most_eight_of_ours_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "TOWARDS", [f"10.0.0.{n}" for n in range(20)])
    assert len(own_addresses("", lambda towards: towards)) == 8


def test_a_route_is_looked_up_without_sending_a_packet() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        assert source_address("127.0.0.1") == "127.0.0.1"
    assert source_address("localhost") == ""
    assert source_address("") == ""


@pytest.mark.parametrize(
    ("ip", "local"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_is_known(ip: str, local: bool) -> None:
    assert is_loopback(ip) is local


def test_what_is_dialled_is_the_address_and_not_its_spelling() -> None:
    assert usable("FD00:0000::1", loopback=False) == "fd00::1"
