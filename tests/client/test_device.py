"""The name of a device: made once for a state folder, for all clients that use it, and readable by nobody else."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from client.network import Network, Person
from harness import World

from chatroom.client.device import FILE, LONGEST, own_device
from chatroom.client.status import Denied, Ended
from chatroom.model.device import NO_DEVICE, Device

CODE = """
import sys
from pathlib import Path
from chatroom.client.device import this_client
device = this_client(Path(sys.argv[1]))
print(device.name, device.tab)
"""


def names() -> itertools.chain[str]:
    """Return names that are all different."""
    return itertools.chain(f"device-{number}" for number in range(10))


def test_it_is_made_once_for_a_folder(tmp_path: Path) -> None:
    made = names()
    first = own_device(tmp_path / "one", made.__next__)
    assert (first, own_device(tmp_path / "one", made.__next__)) == ("device-0", "device-0")
    assert own_device(tmp_path / "two", made.__next__) == "device-1"


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    own_device(tmp_path / "state", names().__next__)
    assert (tmp_path / "state" / FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_clients_that_start_at_the_same_time_are_tabs_of_one_device(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    said = [process.communicate()[0].split() for process in started]
    assert len({device for device, _ in said}) == 1
    assert len({tab for _, tab in said}) == 4


@pytest.mark.parametrize(
    "content", [b"", b"two words", b"UPPER", b"a" * 33, b"\xff", b"../../x", b"a" * (LONGEST + 1)], ids=repr
)
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    made = names()
    assert own_device(tmp_path, made.__next__) == "device-0"
    assert own_device(tmp_path, made.__next__) == "device-0"


def test_without_a_folder_there_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert own_device(tmp_path / "file", names().__next__) == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_gives_no_name(tmp_path: Path) -> None:
    (tmp_path / FILE).touch(mode=0)
    assert own_device(tmp_path, names().__next__) == ""


def test_a_client_names_it_on_each_connection(network: Network) -> None:
    user = Person(network, device=Device("laptop", "a1")).come()
    for _ in range(2):
        (session,) = network.world.chat.sessions.values()
        assert session.device == Device("laptop", "a1")
        network.lines[0].end()
        network.pass_time(5)
    assert user.client.online
    user.leave()


def test_a_client_without_a_device_names_none(network: Network) -> None:
    user = Person(network, device=Device("", "a1")).come()
    (session,) = network.world.chat.sessions.values()
    assert session.device == NO_DEVICE
    user.leave()


def alice(network: Network, *device: str, **fields: Any) -> Person:
    """Return a client of alice's on a device."""
    return Person(network, login=("alice", "secret"), room="lobby", device=Device(*device), **fields).come()


@pytest.fixture
def account(world: World) -> None:
    """Make the account."""
    maker = world.person()
    maker.say("/register alice secret")
    maker.drop()


@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("there", [("laptop", "2"), ("phone", "1")], ids=["another tab", "another device"])
@pytest.mark.usefixtures("account")
def test_two_clients_of_one_account_live_side_by_side(network: Network, there: tuple[str, str], noticed: bool) -> None:
    """They do not throw each other out, also when their lines are cut again and again."""
    pair = [alice(network, "laptop", "1"), alice(network, *there)]
    for number in range(3):
        for line in list(network.lines)[: 1 + number % 2]:
            line.end(noticed=noticed)
        network.pass_time(30)
        assert [person.client.guest for person in pair] == [False, False]
        assert [person.heard(Ended) + person.heard(Denied) for person in pair] == [[], []]
        assert len(network.world.chat.sessions) == 2
    pair[0].say("from here")
    network.flow()
    assert [person.texts for person in pair] == [["from here"], ["from here"]]
    for person in pair:
        person.leave()


@pytest.mark.parametrize("login", [None, ("alice", "secret")], ids=["guests", "one account"])
@pytest.mark.usefixtures("account")
def test_clients_with_copied_files_do_not_end_each_other_for_ever(network: Network, login: Any) -> None:
    """They have the same secret, by which the server takes the one for the other on a new connection."""
    fields: Any = {"secret": "a copied secret of 16 characters", "login": login}
    first, second = (Person(network, device=Device("laptop", tab), **fields).come() for tab in ("1", "2"))
    network.pass_time(300)
    assert [ended.retry for ended in first.heard(Ended)] == [False]
    assert (second.heard(Ended), second.client.online) == ([], True)
    assert len(network.world.chat.sessions) == 1
    first.leave()
    second.leave()


@pytest.mark.usefixtures("account")
def test_a_client_that_is_one_device_too_many_may_take_over(network: Network, world: World) -> None:
    world.rules.devices = 1
    there, here = alice(network, "phone", "1"), alice(network, "laptop", "1")
    (denied,) = here.heard(Denied)
    assert (denied.what, denied.code) == ("login", "too-many-devices")
    here.do("takeover")
    network.pass_time(120)
    assert there.heard(Ended)[0].why == "you go on there; start the client again to come back here"
    assert not here.client.guest
    there.leave()
    here.leave()


@pytest.mark.usefixtures("account")
def test_a_bot_that_starts_again_ends_the_session_of_the_one_before(network: Network, world: World) -> None:
    old, new = alice(network, "bot"), alice(network, "bot")
    network.pass_time(120)
    assert not old.heard(Ended)[0].retry
    assert not new.client.guest
    assert len(world.chat.users) == 1
    old.leave()
    new.leave()
