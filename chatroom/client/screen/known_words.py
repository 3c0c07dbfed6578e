"""The words that Tab completes: the known commands, rooms and people. ``completer.py`` offers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from chatroom.model.commands import TABLE
from chatroom.model.names import fold
from chatroom.model.replies import Help, HelpLine, HelpTopic
from chatroom.model.text import clean

OWN_TOPIC = "client"
PRIVACY_TOPIC = "privacy"
OWN_TOPICS = {OWN_TOPIC: "use this client", PRIVACY_TOPIC: "encrypt what you write"}
"""The client's own topics of help, with their titles. The first has the commands of topics that the server lacks."""
OF_SERVER = {PRIVACY_TOPIC: [HelpLine(row.usage, row.help) for row in TABLE if row.do == "encrypt"]}
"""Commands of the server that stand under one of these topics, too."""
MOST = 300  # commands, rooms, and people who were seen
MOST_ONLINE = 2000  # names taken from the server's list of users online


@dataclass
class KnownWords:
    """The known commands, rooms and people.

    Args:
        users: Returns the names of the users in the room.
        own: The client's own commands, with their help.
        topics: For each of these commands, the name of the server's help topic that it belongs to.
        windows: Returns the names of the windows, as ``lobby`` and ``@bob``.
    """

    users: Callable[[], list[str]]
    own: list[HelpLine] = field(default_factory=list)
    topics: dict[str, str] = field(default_factory=dict)
    windows: Callable[[], list[str]] = list
    _names: dict[str, str] = field(default_factory=dict)
    _commands: dict[str, str] = field(default_factory=dict)
    _rooms: dict[str, None] = field(default_factory=dict)
    _people: dict[str, None] = field(default_factory=dict)
    _online: list[str] = field(default_factory=list)
    _usages: dict[str, str] = field(default_factory=dict)

    def with_own(self, help: Help) -> Help:
        """Return the server's help with the client's own commands added, and without commands that cannot be typed in
        this client."""
        own = {_word(line.usage): line for line in self.own}
        theirs = [line for line in help.commands if line.usage.startswith("/")]
        if help.title:
            shown = [own.get(_word(line.usage), line) for line in theirs]
            added = self._added(self._names.get(help.title, ""), {_word(line.usage) for line in theirs})
            return Help([*shown, *(own[word] for word in added)], title=help.title)
        topics = self._topics(help.topics) if help.topics else []
        return Help([*(line for line in theirs if _word(line.usage) not in own), *self.own], topics)

    def _topics(self, theirs: list[HelpTopic]) -> list[HelpTopic]:
        """Return the server's topics with the client's commands added; commands without a topic get a topic of their
        own.

        The names of the topics are remembered, because the server's help on one topic contains only the topic's title.
        """
        self._names = {topic.title: topic.name for topic in theirs}
        shown = {command for topic in theirs for command in topic.commands}
        topics = [
            HelpTopic(topic.name, topic.title, [*topic.commands, *self._added(topic.name, shown)]) for topic in theirs
        ]
        there = {command for topic in topics for command in topic.commands}
        for name, title in OWN_TOPICS.items():
            words = [_word(line.usage) for line in self.own]
            rest = [word for word in words if word not in there and self._own_topic(word) == name]
            topics += (
                [HelpTopic(name, title, [*rest, *(_word(line.usage) for line in OF_SERVER.get(name, []))])]
                if rest
                else []
            )
        return topics

    def own_help(self, topic: str) -> Help:
        """Return the help on one of the client's own topics; on ``client``, all but what the others have."""
        lines = [line for line in self.own if self._own_topic(_word(line.usage)) == topic]
        return Help([*lines, *OF_SERVER.get(topic, [])], title=OWN_TOPICS[topic])

    def _own_topic(self, word: str) -> str:
        """Return the client's own topic under which a command stands, unless the server has its topic."""
        topic = self.topics.get(word, "")
        return topic if topic in OWN_TOPICS else OWN_TOPIC

    def _added(self, topic: str, shown: set[str]) -> list[str]:
        """Return the client's commands of a topic that are not in ``shown``."""
        return [word for word, name in self.topics.items() if topic and name == topic and word not in shown]

    def add_command(self, usage: str, help: str) -> None:
        """Learn a command.

        Args:
            usage: How the command is used, as ``/join <room>``.
            help: What it does; empty if not known.
        """
        word = _word(clean(usage))
        if word.startswith("/") and len(self._commands) < MOST:
            self._commands[word] = clean(help)

    def add_usage(self, word: str, usage: str) -> None:
        """Learn the usage of a command under one of its words: a short form, as ``j``, has the usage of its command."""
        self._usages[f"/{word}"] = usage

    def usage(self, command: str) -> str:
        """Return how a command is used, as ``/ban [user] [duration]``; empty if the command is not known."""
        return self._usages.get(command.lower(), "")

    def seconds(self, command: str) -> list[str]:
        """Return the second words of commands of two words, as ``delete`` after ``/account``."""
        return [word.partition(" ")[2] for word in self._usages if word.startswith(f"{command.lower()} ")]

    def learn(self, help: Help) -> None:
        """Learn commands from the server's help. A full list first removes the commands whose help is not known."""
        if len(help.commands) > 1 and not help.title:
            self._commands = {word: what for word, what in self._commands.items() if what}
        for line in help.commands:
            self.add_command(line.usage, line.help)

    def add_rooms(self, rooms: Iterable[str]) -> None:
        """Learn room names; if there are too many, forget the oldest."""
        _learn(self._rooms, rooms)

    def add_people(self, names: Iterable[str]) -> None:
        """Learn user names; if there are too many, forget the oldest."""
        _learn(self._people, names)

    def are_online(self, names: Iterable[str]) -> None:
        """Learn the names of the users who are online now, in place of those learned before."""
        self._online = list(names)[:MOST_ONLINE]

    @property
    def commands(self) -> dict[str, str]:
        """The known commands in order, each with its help."""
        return dict(sorted(self._commands.items()))

    @property
    def rooms(self) -> list[str]:
        """The known rooms, by name."""
        return sorted(self._rooms, key=fold)

    @property
    def people(self) -> list[str]:
        """The names of the people in the room, of the people online, and of others who were seen."""
        return [*self.users(), *self._online, *self._people]


def _learn(known: dict[str, None], names: Iterable[str]) -> None:
    """Add names as the newest ones, and forget the oldest names if there are too many."""
    for name in names:
        known.pop(name, None)
        known[name] = None
    while len(known) > MOST:
        del known[next(iter(known))]


def _word(usage: str) -> str:
    """Return the command's words without its arguments: ``/account delete`` for ``/account delete <password>``."""
    return usage.partition("<")[0].partition("[")[0].strip()
