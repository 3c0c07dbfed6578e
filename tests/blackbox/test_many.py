"""Many at once, and some of them badly: nothing leaks, descriptors may run out, and one's end is not the others'."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.load import Client, Crowd, Daemon

VISITS = 10_000
WARM_UP = 5_000
BATCH = 500
MOST_QUESTIONS = 10_000  # a second's worth, and more
GROWTH = 2 * 1024 * 1024  # bytes: 200 for each visit, less than the least that could stand for one

LONG = "x" * 4000  # what a line may hold, nearly
MOST_LINES = 10_000  # of these, until even the largest buffers of the system are full


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that lives and ends well, and has seen no error, however it was treated."""
    with Daemon(tmp_path / "data", "--replay", "0", "--sendq", "65536") as started:
        yield started
        assert started.alive
        assert not started.troubles()


@pytest.fixture
def crowd(daemon: Daemon) -> Iterator[Crowd]:
    """Its clients."""
    with Crowd(daemon.port) as made:
        yield made


# ---- ten thousand visits ----------------------------------------------------------------------------------------


def test_ten_thousand_visits_leave_nothing_behind(daemon: Daemon, crowd: Crowd) -> None:
    watcher = crowd.person("watcher")
    visit(crowd, watcher, WARM_UP)
    descriptors, memory = daemon.descriptors(), daemon.resident()
    visit(crowd, watcher, VISITS)
    assert daemon.descriptors() == descriptors
    assert daemon.resident() - memory < GROWTH


def visit(crowd: Crowd, watcher: Client, visits: int) -> None:
    """Come and go so many times, a batch at a time; return when the watcher is alone again.

    Of four visitors one says nothing and is gone, one is a program, and one goes with a RST.
    """
    for _ in range(0, visits, BATCH):
        visitors = [crowd.connect() for _ in range(BATCH)]
        for i, visitor in enumerate(visitors):
            come(visitor, i)
        for i, visitor in enumerate(visitors):
            if i % 4:
                visitor.hear("hello, all")
        for i, visitor in enumerate(visitors):
            if i % 4 == 1:
                visitor.reset()
            else:
                visitor.close()
        wait_until_alone(watcher)


def come(visitor: Client, i: int) -> None:
    """Take a name, enter one of a few rooms and say something, or do nothing at all."""
    if i % 4 == 2:
        visitor.record(do="hello", version=1, name=f"visitor{i}")
        visitor.record(do="join", room=f"room{i // 10}")
        visitor.record(do="say", text="hello, all")
    elif i % 4:
        visitor.say(f"/name visitor{i}", f"/join room{i // 10}", "hello, all")


def wait_until_alone(watcher: Client) -> None:
    """Ask who is online until nobody else is: some have left before they were let in, and nothing tells of them."""

    for _ in range(MOST_QUESTIONS):
        watcher.say("/who")
        if watcher.hear("Users online")[-1] == "Users online (1):":
            return
    raise AssertionError("the others are still there")


# ---- no descriptors ---------------------------------------------------------------------------------------------


def test_when_descriptors_run_out_those_inside_chat_on_and_later_somebody_new_gets_in(
    daemon: Daemon, crowd: Crowd
) -> None:
    inside = [crowd.person(f"member{i}", "lobby") for i in range(40)]
    daemon.limit(resource.RLIMIT_NOFILE, daemon.descriptors() + 5)
    outside = [crowd.connect() for _ in range(40)]
    crowd.until(lambda: all(c.heard or c.ended for c in outside), "a greeting or an end for everybody")
    assert 0 < sum(not c.ended for c in outside) <= 5
    check_talk(inside)
    for client in outside + inside[30:]:
        client.close()
    for _ in inside[30:]:
        inside[0].hear("has disconnected.")
    check_talk([*inside[:30], crowd.person("late", "lobby")])


def check_talk(members: list[Client]) -> None:
    """All see what each of them says, the same and in the same order."""
    for member in members:
        member.caught_up()
    for i, member in enumerate(members):
        member.say(f"this is {i}.")
    for i in range(len(members)):
        said = {member.hear("this is ")[-1] for member in members}
        assert len(said) == 1, f"message {i} is not the same for all: {said}"


# ---- bad ends ---------------------------------------------------------------------------------------------------


def test_resets_in_the_middle_of_a_fan_out_do_not_disturb_the_others(daemon: Daemon, crowd: Crowd) -> None:
    speaker, *members = (crowd.person(f"member{i}", "lobby") for i in range(40))
    victims = [crowd.person(f"victim{i}", "lobby") for i in range(40)]
    for client in [speaker, *members]:
        client.caught_up()
    for victim in victims:
        crowd.ignore(victim)  # what it does not read lies in its socket when it goes
        speaker.say(*(f"{i} while somebody goes." for i in range(20)))
        victim.reset()
        speaker.hear("19 while")
    speaker.say("the end")
    for member in members:
        heard = member.hear("the end")
        said = [line for line in heard if line.startswith("member0: ")]
        assert said == [f"member0: {i} while somebody goes." for _ in victims for i in range(20)] + ["member0: the end"]
        assert sum("has disconnected." in line for line in [*heard, *member.caught_up()]) == len(victims)


def test_who_never_reads_is_dropped_and_the_others_lose_nothing(daemon: Daemon, crowd: Crowd) -> None:
    speaker, reader = crowd.person("speaker", "lobby"), crowd.person("reader", "lobby")
    program = crowd.program("program", "lobby")
    slow = crowd.person("slow", "lobby", receive_buffer=2048)
    crowd.ignore(slow)
    reader.caught_up()
    said = 0
    heard: list[str] = []
    while not any("slow has disconnected." in line for line in heard):
        assert said < MOST_LINES, "who never reads is never dropped"
        speaker.say(*(f"{i} {LONG}" for i in range(said, said + 50)))
        said += 50
        speaker.hear(f": {said - 1} ")
        heard += reader.hear(f": {said - 1} ")
    daemon.wait_for_log("slow dropped: too slow")
    assert [line for line in heard if "disconnected" not in line] == [f"speaker: {i} {LONG}" for i in range(said)]
    records = [line for line in program.hear(f'"{said - 1} ') if '"said"' in line]
    assert len(records) == said
    slow.close()


def test_who_reads_late_gets_everything_in_order(tmp_path: Path) -> None:
    with Daemon(tmp_path / "data", "--replay", "0", "--sendq", "0") as daemon, Crowd(daemon.port) as crowd:
        speaker = crowd.person("speaker", "lobby")
        late = crowd.person("late", "lobby", receive_buffer=2048)
        for start in range(0, 6000, 2000):  # some eight megabytes at a time
            crowd.ignore(late)
            speaker.say(*(f"{i} {LONG}" for i in range(start, start + 2000)))
            speaker.hear(f": {start + 1999} ")
            crowd.add(late)
            assert late.hear(f": {start + 1999} ") == [f"speaker: {i} {LONG}" for i in range(start, start + 2000)]
        assert not daemon.troubles()
