"""``kill -9`` at any moment: what anybody has seen is there afterwards, once, and in the order in which it was seen."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
from itertools import count, pairwise
from pathlib import Path

import pytest
from blackbox.load import Client, Crowd, Daemon, history

ROOMS = ("red", "green", "blue")
CRASHES = 20
IN_FLIGHT = 8  # messages of one speaker that are not acknowledged yet
MOST_DELIVERIES = 3000  # from one crash to the next

_WORD = re.compile(r"\b\d+-\w+-\d+\b")


class Witness(Client):
    """A member that remembers what it saw said, as words of the speakers' and, a program, their seqs."""

    def __init__(self, crowd: Crowd, name: str, room: str, *, program: bool) -> None:
        super().__init__(crowd)
        self.name = name
        self.room = room
        self.program = program
        self.words: list[str] = []
        self.seqs: list[int] = []
        crowd.add(self)

    def come(self) -> None:
        """Take a name and join, all in one packet; nothing is waited for, for the crash may come first."""
        if self.program:
            self.record(do="hello", version=1, name=self.name)
            self.record(do="join", room=self.room)
        else:
            self.say(f"/name {self.name}", f"/join {self.room}")

    def on_line(self, line: str) -> None:
        """Remember a message; what makes no message is only counted."""
        self.heard.append(line)
        word = _WORD.search(line)
        if word:
            self.words.append(word[0])
            if self.program:
                self.seqs.append(json.loads(line)["seq"])


class Speaker(Witness):
    """A member that says a new word whenever it has seen one of its own, several being under way at a time."""

    def __init__(self, crowd: Crowd, name: str, room: str, *, program: bool, life: int) -> None:
        super().__init__(crowd, name, room, program=program)
        self._own = (f"{life}-{name}-{i}" for i in count())
        self.said: list[str] = []

    def on_line(self, line: str) -> None:
        """Begin when it is in the room; go on with each echo."""
        super().on_line(line)
        if '"event":"entered"' in line or line.startswith("Current users: "):
            for _ in range(IN_FLIGHT):
                self._speak()
        elif self.words and self.words[-1] in line and f"-{self.name}-" in line:
            self._speak()

    def _speak(self) -> None:
        word = next(self._own)
        self.said.append(word)
        if self.program:
            self.record(do="say", text=word, id=word)
        else:
            self.say(word)


@pytest.fixture
def chance() -> random.Random:
    """What decides when the daemon dies; a failed test shows the seed to run it with again."""
    seed = int(os.environ.get("CHATROOM_SEED") or random.randrange(2**32))
    print(f"CHATROOM_SEED={seed}")
    return random.Random(seed)


def test_what_anybody_saw_is_in_the_history_after_twenty_crashes(tmp_path: Path, chance: random.Random) -> None:
    data = tmp_path / "data"
    lives = []
    last_seen = dict.fromkeys(ROOMS, 0)
    for life in range(CRASHES):
        with Daemon(data, "--replay", "0") as daemon:
            if life:
                check_what_came_since(daemon, last_seen, lives[-1])
            lives.append(live_and_die(daemon, life, chance.randint(1, MOST_DELIVERIES)))
        check_file(data, tmp_path / f"copy{life}")
    with Daemon(data) as daemon:
        check_what_came_since(daemon, last_seen, lives[-1])
        check_all(daemon, [witness for life in lives for witness in life])


def live_and_die(daemon: Daemon, life: int, deliveries: int) -> list[Witness]:
    """Let people and programs talk in three rooms, crash after so many deliveries; return the witnesses."""
    with Crowd(daemon.port) as crowd:
        witnesses = [witness for room in ROOMS for witness in members(crowd, room, life)]
        for witness in witnesses:
            witness.come()
        crowd.until(lambda: sum(len(w.heard) for w in witnesses) >= deliveries, f"{deliveries} deliveries")
        daemon.kill()
        # What the system had already taken from the daemon was delivered, too.
        crowd.until(lambda: all(witness.ended for witness in witnesses), "the end of all connections")
    return witnesses


def members(crowd: Crowd, room: str, life: int) -> list[Witness]:
    """Return two who speak and two who listen, a person and a program each."""
    return [
        Speaker(crowd, f"{room}P", room, program=False, life=life),
        Speaker(crowd, f"{room}R", room, program=True, life=life),
        Witness(crowd, f"{room}p", room, program=False),
        Witness(crowd, f"{room}r", room, program=True),
    ]


def check_file(data: Path, copy: Path) -> None:
    """SQLite finds nothing wrong with what the crash left; a copy is looked at, lest looking repair the original."""
    copy.mkdir()
    for path in data.glob("chat.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, copy)
    db = sqlite3.connect(copy / "chat.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    shutil.rmtree(copy)


def check_what_came_since(daemon: Daemon, last_seen: dict[str, int], witnesses: list[Witness]) -> None:
    """Who comes back and says what it saw last is told all that came since; ``last_seen`` goes on."""
    with Crowd(daemon.port) as crowd:
        for room in ROOMS:
            program = crowd.program(f"{room}-again")
            missed = come_back(program, room, last_seen[room])
            check_order([message["text"] for message in missed], [w for w in witnesses if w.room == room])
            last_seen[room] = max([last_seen[room], *(message["seq"] for message in missed)])


def come_back(program: Client, room: str, after: int) -> list[dict]:
    """Join with ``after``; return the messages that came since."""
    program.record(do="join", room=room, after=after, ref=1)
    entered = json.loads(program.hear('"re":1}')[-1])
    assert entered["complete"], entered
    program.record(do="pong", ref=2)  # its answer comes after all that was missed
    records = map(json.loads, program.hear('"re":2}'))
    return [record for record in records if record["event"] == "said"]


def check_all(daemon: Daemon, witnesses: list[Witness]) -> None:
    """The whole history holds what was seen, in that order, nothing twice, and nothing that nobody said."""
    with Crowd(daemon.port) as crowd:
        for room in ROOMS:
            there = [w for w in witnesses if w.room == room]
            messages = history(crowd.program(f"{room}-reader", room))
            words = [message["text"] for message in messages]
            assert all(a["seq"] < b["seq"] for a, b in pairwise(messages))
            assert len(words) == len(set(words)), "something is stored twice"
            said = {word for w in there if isinstance(w, Speaker) for word in w.said}
            assert set(words) <= said, "something is stored that nobody said"
            check_order(words, there)
            check_seqs({message["text"]: message["seq"] for message in messages}, there)


def check_order(words: list[str], witnesses: list[Witness]) -> None:
    """All that each of them saw is among the words, once and in the same order."""
    place = {word: i for i, word in enumerate(words)}
    for witness in witnesses:
        lost = [word for word in witness.words if word not in place]
        assert not lost, f"{witness.name} saw {lost[:5]} ({len(lost)} in all), and they are gone"
        places = [place[word] for word in witness.words]
        assert all(a < b for a, b in pairwise(places)), f"{witness.name} saw another order, or something twice"


def check_seqs(seqs: dict[str, int], witnesses: list[Witness]) -> None:
    """A message has the seq under which programs saw it."""
    for witness in witnesses:
        if witness.program:
            assert [seqs[word] for word in witness.words] == witness.seqs
