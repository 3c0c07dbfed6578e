"""Cuts texts into words for searching, so that messages and queries in any script can be compared.

A text is first *normalized*: compatibility forms are unified (NFKD), case is folded, and marks that people may leave
out (accents, Hebrew and Arabic vowel points) are removed, as is everything invisible. The rest is cut into pieces:

- a *word*: letters, digits and the marks that belong to them. A word in a query finds the same word, and if it has at
  least three characters also longer words that begin with it.
- a *run* of characters from a script without spaces between words, such as Chinese, Japanese, Thai or Khmer. A run in a
  query is found anywhere inside a run. Korean is cut into runs too: its particles and compounds are written together.
- a *symbol*, such as an emoji or a currency sign, which is a word of its own.

For an index, a run becomes overlapping pairs of characters. Each message that matches a query has all ``Query.terms``
among its tokens, but a message that has them all need not match. So an index only proposes messages, and
``Query.matches`` decides. An engine without an index calls it for all messages, and finds the same ones.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import category, normalize

SHORTEST_PREFIX = 3  # characters; a shorter word in a query finds only itself, else it would find nearly everything
LONGEST_WORD = 64  # characters of a word that are compared; the rest is ignored
MOST_TERMS = 16  # terms of a query that an index is asked for; more would hardly leave fewer messages to look at

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u312f\u31a0-\u31ff\U0001aff0-\U0001b16f"  # kana, bopomofo, radicals and signs used with Han
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\ua000-\ua4cf\U00016fe0-\U00018d8f\U0001b170-\U0001b2ff"  # Yi, Tangut, Khitan, Nushu
)
_FLAG = "\U0001f1e6-\U0001f1ff"  # two of these are one flag
_PIECE = re.compile(f"([{_UNSPACED}]+)|[{_FLAG}]{{1,2}}|[^ {_UNSPACED}{_FLAG}]+")
_ASCII_WORD = re.compile("[a-z0-9]+")

# Marks that people may write or leave out: accents, Hebrew points, Arabic vowel signs and hamza.
_OPTIONAL_MARK = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]"
)
# In these sequences the mark makes another letter, so nobody would leave the mark out.
_LETTERS = (("\u0438\u0306", "\u0439"), ("\u0443\u0306", "\u045e"), ("\u0456\u0308", "\u0457"))
# Invisible, though Unicode counts them as marks or letters: variation selectors, fillers, inherent vowels.
_INVISIBLE = re.compile("[\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_MOST_REMEMBERED = 20_000  # characters that _SHOWN keeps in memory; somebody may send all of Unicode


class Term(NamedTuple):
    """What an index is asked for: a token, or with ``prefix`` any token that begins with it."""

    token: str
    prefix: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: a message matches if it holds all the words and all the runs.

    Args:
        words: Normalized words, each once.
        runs: Normalized runs, each once.
    """

    words: tuple[str, ...]
    runs: tuple[str, ...]

    def __bool__(self) -> bool:
        """Return whether there is anything to search for."""
        return bool(self.words or self.runs)

    def matches(self, text: str) -> bool:
        """Return whether a text holds all the words and runs; an empty query matches nothing."""
        plain = normalized(text)
        # Most texts fail this quick test, so they need not be cut into pieces.
        if not self or not all(piece in plain for piece in self.words + self.runs):
            return False
        if not self.words:
            return True
        held = sorted({word for word, run in _pieces(plain) if not run})
        return all(_holds(held, word) for word in self.words)

    def terms(self) -> list[Term]:
        """Return terms that every matching message has among its tokens: the longest ``MOST_TERMS``, longest first."""
        found = {Term(word, len(word) >= SHORTEST_PREFIX): None for word in self.words}
        for run in self.runs:
            if len(run) == 1:
                found[Term(run, True)] = None
            found.update((Term(run[i : i + 2], False), None) for i in range(len(run) - 1))
        return sorted(found, key=lambda term: -len(term.token))[:MOST_TERMS]


def query(text: str) -> Query:
    """Return the query for what somebody has typed."""
    found = dict.fromkeys(_pieces(normalized(text)))
    return Query(tuple(word for word, run in found if not run), tuple(piece for piece, run in found if run))


def tokens(text: str) -> list[str]:
    """Return the tokens under which a text is indexed, each once.

    No token holds a space, and the only ASCII characters in them are ``a-z0-9``.
    """
    found: dict[str, None] = {}
    for piece, run in _pieces(normalized(text)):
        if run:
            # The last "pair" has one character. So each character begins a token, and a query of one character can be
            # searched as a prefix.
            found.update((piece[i : i + 2], None) for i in range(len(piece)))
        else:
            found[piece] = None
    return list(found)


def normalized(text: str) -> str:
    """Return the normalized form of a text, from which its pieces (words, runs, symbols) are cut."""
    if text.isascii():
        return text.lower()
    for _ in range(2):  # folded text may decompose further, and decomposed text may fold further
        text = normalize("NFKD", text).casefold()
    text = normalize("NFKD", text).replace("\u0131", "i")  # the dotless i: its capital is the same as that of i
    for sequence, letter in _LETTERS:
        text = text.replace(sequence, letter)
    return normalize("NFC", _OPTIONAL_MARK.sub("", text).translate(_SHOWN))


def _pieces(plain: str) -> list[tuple[str, bool]]:
    """Return the pieces of a normalized text, each with True if it is a run, or False if it is a word or a symbol."""
    if plain.isascii():
        return [(word[:LONGEST_WORD], False) for word in _ASCII_WORD.findall(plain)]
    return [(match[0], True) if match[1] else (match[0][:LONGEST_WORD], False) for match in _PIECE.finditer(plain)]


def _holds(words: list[str], wanted: str) -> bool:
    """Return whether the sorted words include the wanted word, or one that begins with it if it is long enough."""
    i = bisect_left(words, wanted)
    if i == len(words):
        return False
    return words[i] == wanted or (len(wanted) >= SHORTEST_PREFIX and words[i].startswith(wanted))


class _Shown(dict[int, str]):
    """A table for ``str.translate``: separators become spaces, invisible characters vanish, symbols become words."""

    def __missing__(self, point: int) -> str:
        shown = _shown(chr(point))
        if len(self) < _MOST_REMEMBERED:
            self[point] = shown
        return shown


def _shown(char: str) -> str:
    """Return the text that replaces a character when a text is normalized."""
    kind = category(char)
    if kind == "Cf" or _INVISIBLE.match(char) or _SKIN_TONE.match(char):
        return ""
    if kind[0] in "LNM" or "\U0001f1e6" <= char <= "\U0001f1ff":
        return char
    if (kind[0] == "S" and not char.isascii()) or kind == "Co":
        return f" {char} "
    return " "


_SHOWN = _Shown()
