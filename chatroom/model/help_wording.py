"""The lines of ``/help``: topics, or commands with what they do."""

from __future__ import annotations

from textwrap import wrap

from chatroom.model import replies as a

COLUMNS = 79  # characters of the longest line of help
WIDEST_USAGE = 28  # characters of a command's usage; the explanation of a longer one begins on the next line


def help_lines(event: a.Help) -> list[str]:
    """Return the lines of the answer to ``/help``."""
    if event.topics:
        return _topics(event.topics)
    if len(event.commands) == 1 and not event.title:
        line = event.commands[0]
        return [f"{line.usage}: {line.help}.", f"Spellings: {', '.join(line.spellings)}"]
    lines = [f"To {event.title}:" if event.title else "Commands:"]
    width = max((len(line.usage) for line in event.commands if len(line.usage) <= WIDEST_USAGE), default=0)
    for line in event.commands:
        if len(line.usage) > width:
            lines.append(f"  {line.usage}")
        lines += _wrapped(line.help, "" if len(line.usage) > width else f"  {line.usage:<{width}}  ", width + 4)
    return lines


def _topics(topics: list[a.HelpTopic]) -> list[str]:
    """Return the lines of ``/help``: each thing that people may want to do, and the commands for it."""
    lines = ["What do you want to do? /help <topic> or /help <command> says more."]
    width = max(len(topic.name) for topic in topics)
    for topic in topics:
        text = f"{topic.title}: {' '.join(topic.commands)}"
        lines += _wrapped(text, f"  {topic.name:<{width}}  ", width + 4)
    return [*lines, "In a room, anything else you type is said to it; //text says /text."]


def _wrapped(text: str, first: str, indent: int) -> list[str]:
    """Break a text into lines that fit the width of a terminal.

    Args:
        text: The text.
        first: The beginning of the first line; if empty, the first line is indented as well.
        indent: How many spaces the further lines are indented by.
    """
    gap = " " * indent
    return wrap(
        text,
        COLUMNS,
        initial_indent=first or gap,
        subsequent_indent=gap,
        break_long_words=False,
        break_on_hyphens=False,
    )
