"""Tables for people and scripts: aligned, harmless to terminals, and no wider than the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from wcwidth import wcswidth, wcwidth

from chatroom.model.text import clean

WIDTH = 80  # columns, if the width of the terminal is not known
NARROWEST = 6  # columns that a cell keeps at least
GAP = "  "
_CUT = "\u2026"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A column: its heading, and the function that returns the cell of a row. Numbers are aligned to the right."""

    heading: str
    cell: Callable[[Row], object]


@dataclass(frozen=True, slots=True, repr=False)
class Table(Generic[Row]):
    """A sequence of rows whose ``repr`` is a table.

    Args:
        rows: The rows.
        columns: The columns to show.
        noun: What a row is, for the line below the table.
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
        """Return the table as text.

        Args:
            width: The columns of the terminal. A table of many columns may be wider, as no cell gets too narrow.
        """
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
    """Return the number of columns that the text takes on a terminal."""
    return max(0, wcswidth(text))


def fit(widths: Sequence[int], width: int) -> list[int]:
    """Return the widths of the columns, with the widest ones reduced, to ``NARROWEST`` at least, until all fit.

    Args:
        widths: The widths that the columns would like to have.
        width: The columns of the terminal.
    """
    fitted = list(widths)
    excess = sum(fitted) + len(GAP) * (len(fitted) - 1) - width
    for _ in range(max(0, excess)):
        widest = max(range(len(fitted)), key=fitted.__getitem__)
        if fitted[widest] <= NARROWEST:
            break
        fitted[widest] -= 1
    return fitted


def cut(text: str, width: int) -> str:
    """Return the text, cut with a mark if it takes more than ``width`` columns."""
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
