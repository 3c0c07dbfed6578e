"""Makes text harmless, so that it can be shown on a terminal, stored and logged.

The text of a message may have several lines, with LF between them; every other text is one line. Where people read
lines, ``marked`` begins each further line of a message with ``CONTINUATION``, so that no line of a message can pose as
another user's message or as a line of the server.
"""

import re
from re import Match
from unicodedata import category

MOST_LINES = 50  # of one message
CONTINUATION = "    | "  # begins each further line of a message; no other line begins with it
MARKS_IN_A_ROW = 4
# Scripts whose words have more than four marks on a letter, each mark at most once: the first and last character of
# the script's blocks in Unicode, and the greatest number of marks on one letter.
_MARKS_OF_SCRIPTS = (
    (0x0591, 0x08FF, 6),  # Hebrew, Arabic, Syriac ... with accents and signs for reading aloud
    (0x0900, 0x0EFF, 6),  # the scripts of India, Thai, Lao
    (0x0F00, 0x109F, 10),  # Tibetan, Burmese
    (0x1700, 0x1A1F, 6),  # Khmer and others of South-East Asia
    (0x1A20, 0x1AAF, 10),  # Tai Tham
    (0x1B00, 0x1CFF, 6),  # Balinese ... Vedic accents
    (0xA800, 0xA9DF, 6),  # Javanese and others
    (0xA9E0, 0xAA7F, 10),  # Burmese, Cham
    (0xAA80, 0xABFF, 6),
    (0x10A00, 0x11FFF, 6),
)
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
# White space, what Unicode shows as nothing (Default_Ignorable_Code_Point), and characters that look like spaces.
_INVISIBLE = (
    r"\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U00013441\U00013442\U00016fe4\U0001bca0-\U0001bca3"
    r"\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BLANK = re.compile(rf"[{_INVISIBLE}]*+")
_HIDDEN = re.compile(rf"[{_INVISIBLE}]")
# No character below U+0300 is a mark, so only a run of five or more characters from U+0300 on can hold too many marks.
# (U+00AD may stand in a run, because it is invisible.) Most texts have no such run and skip the loop in ``_thin_out``.
_MAYBE_MARKS = re.compile(rf"[\u00ad\u0300-\U0010ffff]{{{MARKS_IN_A_ROW + 1},}}")


def clean(text: str) -> str:
    """Return the text without characters that act on a terminal or hide something from a reader. Never raises.

    Escape sequences (ECMA-48, 8-bit forms too), NUL, BOM and bidi overrides, embeddings and isolates (UAX 9) are
    dropped. A tab becomes a space; other controls, line separators and lone surrogates become U+FFFD. A character
    keeps four combining marks; in scripts whose words have more, it keeps more if all are different. The result is
    one line, can be encoded as UTF-8, and does not change when it is cleaned again.

    Args:
        text: Any text.

    Returns:
        The clean text; the same object if the text is printable ASCII.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE_SEQUENCE.sub("", text)
    text = _DROPPED.sub("", text).replace("\t", " ")
    text = _REPLACED.sub(REPLACEMENT, text)
    # Marks come last, because characters dropped above may have separated two runs of marks.
    return _MAYBE_MARKS.sub(_thin_out, text)


def clean_lines(text: str) -> str:
    """Return the text of a message, which may have several lines, without what ``clean`` removes. Never raises.

    Lines end with LF; CR LF counts as LF, and a CR alone is a control character like others. Blank lines at the
    beginning and the end are dropped. The result does not change when it is cleaned again.

    Args:
        text: Any text.

    Returns:
        The clean text; the only control character in it is LF.
    """
    if "\n" not in text:
        return clean(text)
    lines = [clean(line) for line in text.replace("\r\n", "\n").split("\n")]
    shown = [number for number, line in enumerate(lines) if not is_blank(line)]
    return "\n".join(lines[shown[0] : shown[-1] + 1]) if shown else ""


def marked(text: str, end: str = "\n") -> str:
    """Return a text for an output by lines: each line of it but the first begins with ``CONTINUATION``.

    Args:
        text: A line, or a message of several lines with LF between them.
        end: What ends a line in the output.
    """
    return text.replace("\n", end + CONTINUATION)


def on_one_line(text: str) -> str:
    """Return the text of a message as one line, for a place that has room for one only: each LF becomes a space."""
    return text.replace("\n", " ")


def is_blank(text: str) -> bool:
    """Return whether a reader sees nothing of the text: it is empty, or all white space and invisible characters."""
    return _BLANK.fullmatch(text) is not None


def hides_something(text: str) -> bool:
    """Return whether a character of the text is invisible or white space."""
    return _HIDDEN.search(text) is not None


def shortened(text: str, most: int) -> str:
    """Return the text in at most ``most`` characters; three dots replace what is cut off."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _thin_out(run: Match[str]) -> str:
    """Return a run of characters without excess marks. Format characters (Cf) do not separate marks from a letter."""
    kept: list[str] = []
    base, marks = "", ""  # the last character, and the marks on it
    for char in run[0]:
        kind = category(char)
        if kind[0] == "M":
            if len(marks) >= MARKS_IN_A_ROW and (char in marks or len(marks) >= min(_most(base), _most(char))):
                continue
            marks += char
        elif kind != "Cf":
            base, marks = char, ""
        kept.append(char)
    return "".join(kept)


def _most(char: str) -> int:
    """Return how many marks one letter may have in the script of ``char``, a letter or a mark, or an empty text."""
    code = ord(char or "a")
    return next((most for first, last, most in _MARKS_OF_SCRIPTS if first <= code <= last), MARKS_IN_A_ROW)
