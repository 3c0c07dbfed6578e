"""Links that the terminal can follow (OSC 8), as an attribute of characters like a colour.

A character's style names its link by a number, as in ``[link:3]``, so that there are few different styles and little is
remembered. ``LinkTable`` says which address has which number at present. ``LinkingStyle`` makes an attribute of the
number, and ``LinkingOutput`` writes the escape sequences where the attribute changes. So a link never runs on over what
is drawn next, whatever parts of the screen are drawn anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Hashable
from typing import Any

from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Attrs, BaseStyle
from prompt_toolkit.styles.base import DEFAULT_ATTRS
from prompt_toolkit.utils import get_bell_environment_variable, get_term_environment_variable

from chatroom.client.screen.links import links_in

MOST = 32  # addresses on the screen at a time that are links; the others are only text
_NUMBER = re.compile(r"\[link:(\d+)\]")

Pieces = list[tuple[str, str]]


class LinkedStyle(str):
    """The style of a part of a link, with the whole link's address."""

    __slots__ = ("address",)

    address: str


def with_links(pieces: Pieces) -> Pieces:
    """Return pieces of text with the links in them in a style that holds the address.

    Args:
        pieces: Clean text with its styles. A link may be in several pieces.
    """
    text = "".join(piece for _, piece in pieces)
    found: Pieces = []
    links = links_in(text)
    at = 0
    for style, piece in pieces:
        end = at + len(piece)
        for link in (link for link in links if link.start < end and link.end > at):
            start, stop = max(link.start, at), min(link.end, end)
            linked = LinkedStyle(style)
            linked.address = link.address
            found += [(style, text[at:start]), (linked, text[start:stop])]
            at = stop
        found.append((style, text[at:end]))
        at = end
    return [piece for piece in found if piece[1]] if links else pieces


class LinkTable:
    """Gives numbers to the addresses on the screen.

    An address keeps its number while it is shown. A number is given to another address only after a drawing without it,
    so every character with that number is drawn anew then.

    Args:
        on: Whether the terminal can follow links.
    """

    def __init__(self, *, on: bool) -> None:
        self.on = on
        self._addresses: dict[int, str] = {}
        self._before: dict[str, int] = {}
        self._now: dict[str, int] = {}

    def begin(self) -> None:
        """Begin a drawing."""
        self._before, self._now = self._now, {}

    def style(self, style: str) -> str:
        """Return the style to draw with: with the number of its link, if it has one and not too many are shown."""
        address = getattr(style, "address", "")
        if not address or not self.on:
            return str(style)
        number = self._now.get(address)
        if number is None:
            number = self._before[address] if address in self._before else self._free()
            if number is None:
                return str(style)
            self._now[address] = number
            self._addresses[number] = address
        return f"{style} [link:{number}]".lstrip()

    def address(self, number: int) -> str:
        """Return the address that has the number."""
        return self._addresses.get(number, "")

    def _free(self) -> int | None:
        """Return a number that neither this drawing nor the one before uses; None if too many links are shown."""
        if len(self._now) >= MOST:
            return None
        used = {*self._before.values(), *self._now.values()}
        return next(number for number in range(2 * MOST + 1) if number not in used)


class LinkedAttrs(Attrs):
    """The attributes of a character that is part of a link; ``number`` is the link's."""

    number: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LinkedAttrs) and self.number == other.number and tuple(self) == tuple(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.number, *self))


class LinkingStyle(BaseStyle):
    """A style that makes ``[link:3]`` in a style string an attribute; all else is as in the style beneath.

    Args:
        beneath: The style of everything.
    """

    def __init__(self, beneath: BaseStyle) -> None:
        self._beneath = beneath

    def get_attrs_for_style_str(self, style_str: str, default: Attrs = DEFAULT_ATTRS) -> Attrs:
        """See ``BaseStyle``."""
        attrs = self._beneath.get_attrs_for_style_str(style_str, default)
        number = _NUMBER.search(style_str)
        if number is None:
            return attrs
        linked = LinkedAttrs(*attrs)
        linked.number = int(number[1])
        return linked

    @property
    def style_rules(self) -> list[tuple[str, str]]:
        """See ``BaseStyle``."""
        return self._beneath.style_rules

    def invalidation_hash(self) -> Hashable:
        """See ``BaseStyle``."""
        return self._beneath.invalidation_hash()


class LinkingOutput(Vt100_Output):
    """A terminal that can follow links.

    Attributes:
        links: The addresses of the links on the screen.
    """

    links = LinkTable(on=False)
    _shown = ""

    def set_attributes(self, attrs: Attrs, color_depth: ColorDepth) -> None:
        """See ``Output``."""
        if isinstance(attrs, LinkedAttrs):
            self._link(self.links.address(attrs.number), attrs.number)
            attrs = Attrs(*attrs)
        else:
            self._link("")
        super().set_attributes(attrs, color_depth)

    def reset_attributes(self) -> None:
        """See ``Output``."""
        self._link("")
        super().reset_attributes()

    def _link(self, address: str, number: int = 0) -> None:
        """End the link that is being written, and begin that with the address, if there is one."""
        if address != self._shown:
            self._shown = address
            self.write_raw(f"\x1b]8;{f'id={number}' if address else ''};{address}\x1b\\")


def links_on(output: Output, *, on: bool) -> LinkTable:
    """Return the table of the links on a terminal; ``on`` says whether they are written as links."""
    table = LinkTable(on=on and isinstance(output, LinkingOutput))
    if isinstance(output, LinkingOutput):
        output.links = table
    return table


def linking_output() -> Any:
    """Return this process's terminal."""
    return LinkingOutput.from_pty(
        sys.stdout,
        term=get_term_environment_variable(),
        default_color_depth=ColorDepth.from_env(),
        enable_bell=get_bell_environment_variable(),
    )
