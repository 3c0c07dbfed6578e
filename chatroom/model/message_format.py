"""The format of messages: a template with ``{user}``, ``{room}`` and ``{text}`` that the operator chooses.

It has a file of its own because the daemon checks the template and the text dialect fills it in.
"""

from __future__ import annotations

import string

DEFAULT = "{user}: {text}"

_FIELDS = {"user", "room", "text"}


def check_format(form: str) -> str:
    """Return the template, unchanged, if it can be used.

    Raises:
        ValueError: The template has other fields, a format or conversion in a field, or control characters; or it lacks
            ``{user}`` or ``{text}``.
    """
    try:
        parts = list(string.Formatter().parse(form))
    except ValueError as error:
        raise ValueError(f"{form!r} cannot be read: {error}") from None
    used = {name for _, name, _, _ in parts if name is not None}
    plain = all(name is None or (not spec and conversion is None) for _, name, spec, conversion in parts)
    if not used <= _FIELDS or not plain or not {"user", "text"} <= used or not form.isprintable():
        raise ValueError(f"{form!r} is not made of {{user}}, {{room}} and {{text}} with at least {{user}} and {{text}}")
    return form
