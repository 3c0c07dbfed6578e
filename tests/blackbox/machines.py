"""Three machines on one, as network namespaces: a server, and two people whose packets to each other it passes on.

Their addresses are theirs alone, so nothing here reaches, or is seen by, anything outside. It takes root, and ``ip`` of
Debian's iproute2.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from types import TracebackType

from blackbox.daemon import DEADLINE, needs

SERVER = "server"
PEOPLE = ("alice", "bob")
V4, V6, LINK = "IPv4", "IPv6", "link-local"
_OWN = {V4: "10.77.{}.2", V6: "fd77:{}::2"}  # of a person's machine, by the number of its network
_SERVERS = {V4: "10.77.{}.1", V6: "fd77:{}::1", LINK: "fe80::1"}
_BITS = {V4: 24, V6: 64, LINK: 64}
_INTERFACE = "net0"


class Machines:
    """The machines; as a context manager they are there, and gone at its end.

    Args:
        kinds: The kinds of addresses that they have, of ``V4``, ``V6`` and ``LINK``. Every interface has an address of
            the last kind; only if no other kind is named, the people know the server by it.

    Raises:
        OSError: The system does not let us make a namespace; from ``__enter__``.
    """

    def __init__(self, *kinds: str) -> None:
        self._ip = needs("ip")
        self._kinds = kinds
        self._names = {machine: f"chatroom-{os.getpid()}-{machine}" for machine in (SERVER, *PEOPLE)}

    def within(self, machine: str) -> list[str]:
        """Return what a command begins with that is to run on a machine."""
        return [self._ip, "netns", "exec", self._names[machine]]

    def address(self, person: str, kind: str) -> str:
        """Return the address of a person's machine; not of the kind ``LINK``."""
        return _OWN[kind].format(self._number(person))

    def addresses(self, person: str) -> list[str]:
        """Return all addresses of a person's machine but those of the kind ``LINK``."""
        return [self.address(person, kind) for kind in self._kinds if kind in _OWN]

    def server(self, person: str) -> str:
        """Return the address by which a person's machine reaches the server."""
        kind = self._kinds[0]
        return _SERVERS[kind].format(self._number(person)) + (f"%{_INTERFACE}" if kind == LINK else "")

    def drop(self) -> None:
        """From now on, let all packets from one person to the other be lost without a word, as a firewall does."""
        for kind in self._kinds:
            for one, other in (PEOPLE, PEOPLE[::-1]):
                way = ["from", self.address(one, kind), "to", self.address(other, kind)]
                self._do(_family(kind), "-n", self._names[SERVER], "rule", "add", *way, "blackhole")

    def __enter__(self) -> Machines:
        try:
            for machine in (SERVER, *PEOPLE):
                self._do("netns", "add", self._names[machine])
                self._do("-n", self._names[machine], "link", "set", "lo", "up")
            for person in PEOPLE:
                self._connect(person)
            self._pass_on()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def _connect(self, person: str) -> None:
        """Lay a cable between a person's machine and the server, and give both ends their addresses."""
        server, own, number = self._names[SERVER], self._names[person], self._number(person)
        self._do("-n", server, "link", "add", person, "type", "veth", "peer", "name", _INTERFACE, "netns", own)
        for name, interface in ((server, person), (own, _INTERFACE)):
            self._do("-n", name, "link", "set", interface, "addrgenmode", "none")  # no address that must be tried first
            self._do("-n", name, "link", "set", interface, "up")
        self._add(server, person, _SERVERS[LINK], LINK)
        self._add(own, _INTERFACE, f"fe80::{number + 1}", LINK)
        for kind in self._kinds:
            if kind != LINK:
                gateway = _SERVERS[kind].format(number)
                self._add(server, person, gateway, kind)
                self._add(own, _INTERFACE, self.address(person, kind), kind)
                self._do(_family(kind), "-n", own, "route", "add", "default", "via", gateway)

    def _add(self, name: str, interface: str, address: str, kind: str) -> None:
        at_once = [] if kind == V4 else ["nodad"]
        self._do("-n", name, "address", "add", f"{address}/{_BITS[kind]}", "dev", interface, *at_once)

    def _pass_on(self) -> None:
        """Let the server pass on packets."""
        switches = ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
        script = "; ".join(f"echo 1 > /proc/sys/net/{switch}" for switch in switches)
        self._run([*self.within(SERVER), "sh", "-ec", script])

    def _remove(self) -> None:
        for name in self._names.values():
            subprocess.run([self._ip, "netns", "delete", name], capture_output=True, timeout=DEADLINE)

    def _do(self, *command: str) -> None:
        self._run([self._ip, *command])

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")

    def _number(self, person: str) -> int:
        return PEOPLE.index(person) + 1


def _family(kind: str) -> str:
    return "-4" if kind == V4 else "-6"
