"""What may be shown, stored or logged: text that can do nothing to the terminal, log or page it lands in."""

import re
from re import Match
from unicodedata import category

MARKS_IN_A_ROW = 4
REPLACEMENT = "\ufffd"

# Possessive quantifiers and disjoint character sets leave nothing to backtrack into: hostile input costs linear time.
_ESCAPE_SEQUENCE = re.compile(
    r"""
      (?: \x1b [\]PX^_] | [\x9d\x90\x98\x9e\x9f] )      # OSC, DCS, SOS, PM, APC: a string ...
          [^\x07\x1b\x9c]*+ (?: \x07 | \x1b\\ | \x9c )?  # ... up to BEL or ST, or to the end of the text
    | (?: \x1b \[ | \x9b )                              # CSI
          [0-?]*+ [\ -/]*+ [@-~]?                       # its final character may have been cut off
    | \x1b [\ -/]*+ [0-~]                               # all others: two characters, or three with an intermediate
    """,
    re.VERBOSE,
)
# NUL and BOM carry no meaning inside a text; the bidi controls reorder what surrounds them.
_DROPPED = re.compile(r"[\0\ufeff\u202a-\u202e\u2066-\u2069]")
_REPLACED = re.compile(r"[\x01-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# There is no mark below U+0300, so only such a run can hold too many of them: most texts skip the loop per character.
_MAYBE_MARKS = re.compile(rf"[\u0300-\U0010ffff]{{{MARKS_IN_A_ROW + 1},}}")


def clean(text: str) -> str:
    """Return the text without anything that acts instead of being read.

    Escape sequences (ECMA-48, 8-bit forms too), NUL, BOM and bidi overrides, embeddings and isolates (UAX 9) are
    dropped, a tab becomes a space, other controls, line separators and lone surrogates become U+FFFD, and at most
    four combining marks follow one another. The result is one line, encodes to UTF-8, and is clean itself.

    Args:
        text: any string whatever; nothing makes this raise.

    Returns:
        The clean text; the very same object when there was nothing to do in plain printable ASCII.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE_SEQUENCE.sub("", text)
    text = _DROPPED.sub("", text).replace("\t", " ")
    text = _REPLACED.sub(REPLACEMENT, text)
    # Last, because whatever was dropped above may have kept two runs of marks apart.
    return _MAYBE_MARKS.sub(_thin_out, text)


def shortened(text: str, most: int) -> str:
    """Return the text in at most so many characters: what is cut off is told by three dots."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _thin_out(run: Match[str]) -> str:
    """Return the run with no more than the allowed number of marks after one another."""
    kept, marks = [], 0
    for char in run[0]:
        marks = marks + 1 if category(char)[0] == "M" else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)
