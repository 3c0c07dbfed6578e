"""``/help``: shows all topics with commands, one topic, or one command. Suggests a command for an unknown one."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.session import Session
from chatroom.model.commands import TABLE, TOPICS, CommandRow, Needs, ShowHelp
from chatroom.model.errors import NO_COMMAND, Refused
from chatroom.model.events import Event
from chatroom.model.replies import Help, HelpLine, HelpTopic
from chatroom.model.suggestions import hint


@handles(ShowHelp)
def show_help(chat: Chat, session: Session, command: ShowHelp) -> Event:
    """Explain the topics with all commands that the user may give, the commands of one topic, or one command.

    Raises:
        Refused: There is no such topic or command.
    """
    wanted = " ".join(command.command.lower().lstrip("/").split())
    rows = [row for row in TABLE if row.spellings]
    meant = [row for row in rows if wanted in {word.lower().lstrip("/") for word in row.spellings}]
    if meant:
        return Help([HelpLine(row.usage, row.help, row.spellings) for row in meant])
    allowed = [row for row in rows if row.needs is not Needs.OPERATOR or session.user.operator]
    topics = {name: [row for row in allowed if row.topic == name] for name in TOPICS}
    if not wanted:
        shown = [HelpTopic(name, TOPICS[name], _words(rows)) for name, rows in topics.items() if rows]
        return Help([HelpLine(row.usage, row.help) for row in allowed], shown)
    if topics.get(wanted):
        return Help([HelpLine(row.usage, row.help) for row in topics[wanted]], title=TOPICS[wanted])
    raise unknown_command(wanted, session)


def _words(rows: list[CommandRow]) -> list[str]:
    """Return the usual spelling of each command, such as ``/join``, without repetitions."""
    return list(dict.fromkeys(f"/{row.slash[0]}" for row in rows if row.slash))


def unknown_command(word: str, session: Session) -> Refused:
    """Return the refusal of an unknown command; its text suggests the most similar command, if one is similar."""
    known = [word for row in TABLE if row.needs is not Needs.OPERATOR or session.user.operator for word in row.slash]
    return NO_COMMAND(word=f"/{word[:64]}", hint=hint(word, known))
