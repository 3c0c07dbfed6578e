"""Tables that a person can read and a script can walk through: aligned, clean, never wider than the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wcwidth import wcswidth, wcwidth

from chatroom.model.text import clean

WIDTH = 80  # columns, where nobody says how wide the terminal is
NARROWEST = 6  # columns to which a cell is cut at most
GAP = "  "
_CUT = "\u2026"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column: its heading, and what of a row stands in it. Numbers are set to the right."""

    heading: str
    cell: Callable[[Row], object]


@dataclass(frozen=True, slots=True, repr=False)
class Table(Generic[Row]):
    """Rows with a face. To code it is a sequence of the rows; as text it is a table.

    Args:
        rows: What it is about.
        columns: What is shown of it.
        noun: What one row is, for the line below the table.
    """

    rows: Sequence[Row]
    columns: tuple[Column[Row], ...]
    noun: str

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __repr__(self) -> str:
        return self.render(WIDTH)

    def render(self, width: int) -> str:
        """Return it as lines of at most so many columns, as far as that goes."""
        count = f"{len(self.rows)} {self.noun}{'' if len(self.rows) == 1 else 's'}."
        if not self.rows:
            return f"No {self.noun}s."
        values = [[column.cell(row) for column in self.columns] for row in self.rows]
        cells = [[clean(str(value)) for value in row] for row in values]
        headings = [column.heading for column in self.columns]
        widths = fit([max(map(columns_of, column)) for column in zip(headings, *cells, strict=True)], width)
        right = [isinstance(value, int | float) for value in values[0]]
        lines = [_line(row, widths, right) for row in (headings, ["-" * each for each in widths], *cells)]
        return "\n".join([*lines, count])


def columns_of(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return max(0, wcswidth(text))


def fit(widths: Sequence[int], width: int) -> list[int]:
    """Return the widths of columns, the widest made smaller until they fit beside each other."""
    fitted = list(widths)
    excess = sum(fitted) + len(GAP) * (len(fitted) - 1) - width
    for _ in range(max(0, excess)):
        widest = max(range(len(fitted)), key=fitted.__getitem__)
        if fitted[widest] <= NARROWEST:
            break
        fitted[widest] -= 1
    return fitted


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning and a mark, in no more than so many columns."""
    if columns_of(text) <= width:
        return text
    taken = 0
    for at, char in enumerate(text):
        taken += max(0, wcwidth(char))
        if taken > width - 1:
            return text[:at] + _CUT
    return text


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    fields = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        text = cut(cell, width)
        space = " " * (width - columns_of(text))
        fields.append(space + text if to_the_right else text + space)
    return GAP.join(fields).rstrip()
