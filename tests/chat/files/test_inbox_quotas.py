"""Files that are on their way to an inbox count for the share of it that their sender, or an address, may fill."""

from __future__ import annotations

from contextlib import closing

from chat.files.about import account
from fakes import MoodyEngine
from harness import Client, World
from sharing import begin, hear, offer, send, share
from twisted.internet.task import Clock

from chatroom.chat.limits import SHARE_OF_ADDRESS, SHARE_OF_SENDER
from chatroom.model.shared_files import TRANSFERS


def offers(client: Client, number: int) -> list[str]:
    """Offer so many files to olga; return the ids of those that may be sent."""
    files = []
    for index in range(number):
        offer(client, b"%d" % index, f"{index}.txt", user="olga")
        (answer,) = hear(client)
        assert answer["event"] == "upload" or answer["code"] == "share-full", answer
        files += [answer["file"]] if answer["event"] == "upload" else []
    return files


def writes(client: Client, number: int) -> None:
    """Write so many messages to olga; each is accepted."""
    client.take()
    for _ in range(number):
        client.record(do="message", user="olga", text="x")
    assert [record["event"] for record in hear(client)] == ["sent"] * number


def refused_to_write(client: Client) -> bool:
    """Return whether olga cannot be written to because the share is full."""
    client.take()
    client.record(do="message", user="olga", text="x")
    (answer,) = hear(client)
    return answer.get("code") == "share-full"


def test_uploads_that_guests_of_one_address_have_begun_count_for_their_share(world: World) -> None:
    account(world, "olga").drop()
    guests = [world.program(f"guest{number}") for number in range(SHARE_OF_SENDER // TRANSFERS + 3)]
    begun = {guest: offers(guest, TRANSFERS) for guest in guests}
    assert sum(map(len, begun.values())) == SHARE_OF_SENDER
    assert refused_to_write(guests[-1])
    for guest, files in begun.items():
        for index, file in enumerate(files):
            send(guest, file, b"%d" % index)
        assert [record["event"] for record in hear(guest)].count("shared") == len(files)
    assert refused_to_write(guests[-1])
    olga = world.program()
    olga.record(do="login", user="olga", password="secret")
    assert sum(record["event"] == "shared" for record in hear(olga)) == SHARE_OF_SENDER
    assert world.chat.shares._coming == {}


def test_an_upload_that_ends_before_all_has_come_counts_no_more(world: World) -> None:
    account(world, "olga").drop()
    alice, bob = world.program("alice"), world.program("bob")
    writes(alice, SHARE_OF_SENDER - 1)
    (file,) = offers(alice, 1)
    assert offers(bob, 1) == []
    alice.record(do="cancel", file=file)
    (file,) = offers(bob, 1)
    assert offers(alice, 1) == []
    bob.drop()
    assert len(offers(alice, 1)) == 1
    alice.drop()
    assert world.chat.shares._coming == {}


def test_files_of_accounts_count_for_their_address(world: World) -> None:
    account(world, "olga").drop()
    members = [account(world, f"member{number}") for number in range(3)]
    for member in members:
        share(member, b"done", user="olga")
        writes(member, SHARE_OF_ADDRESS // 3 - 2)
    left = SHARE_OF_ADDRESS - 3 * (SHARE_OF_ADDRESS // 3 - 1)
    assert len(offers(members[0], left)) == left <= TRANSFERS
    assert offers(members[1], 1) == []
    assert refused_to_write(members[2])


def test_a_file_is_not_shared_when_the_share_was_filled_through_another_daemon_meanwhile() -> None:
    """What has come of the file stays, and the file is shared when the inbox has been read."""
    with closing(World()) as world:
        account(world, "olga").drop()
        alice = world.program("alice")
        file = begin(alice, b"data", user="olga")
        other = World(world.engine, world.clock, first_id=10**6)
        writes(other.program("bob"), SHARE_OF_SENDER)
        send(alice, file, b"data")
        assert only_error(alice) == ("share-full", file)
        assert world.chat.shares._coming == {}
        other.person().say("/login olga secret")
        other.settle()
        offer(alice, b"data", user="olga")
        assert [record["event"] for record in hear(alice)] == ["upload", "shared"]
        other.end()


def only_error(client: Client) -> tuple[str, str]:
    """Return the code of the one error that has come, and its file."""
    (error,) = [record for record in hear(client) if record["event"] == "error"]
    return error["code"], error["file"]


def test_invitations_and_messages_that_are_on_their_way_count_together() -> None:
    clock = Clock()
    with closing(World(engine := MoodyEngine(clock), clock, announce=False)) as world:
        account(world, "olga").drop()
        owners = [world.program(f"owner{number}", f"den{number}") for number in range(3)]
        writes(owners[0], SHARE_OF_SENDER - 2)
        engine.holding = True
        for owner in owners:
            hear(owner)
            owner.record(do="invite", user="olga", ref=1)
        refused = [owner for owner in owners if any(r.get("code") == "share-full" for r in hear(owner))]
        assert refused == owners[2:]
        engine.let_go()
        world.settle()
        assert refused_to_write(owners[0])
        assert world.chat.shares._coming == {}
