"""Finding links in the text of messages: http and https only.

A link's address is written in the characters that a URL may have: everything else, and ``;``, is percent-encoded. So no
address can end an escape sequence, begin with ``-``, or hold a blank.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

LONGEST = 2000  # characters of an address; what is longer is no link

_LINK = re.compile(r"(?<![^\W_])https?://[^\s<>\"`{}|\\^\x00-\x20\x7f-\x9f]++", re.IGNORECASE)
_HOST = re.compile(r"https?://(?:\[[0-9a-f:.%]+\]|[^\W_])", re.IGNORECASE)
_KEPT = "%/?:#[]@!$&'()*+,=~-._"  # besides letters and digits
_AFTER = ".,:;!?'*_~\u2026\u3001\u3002\uff0c\uff01\uff1f"  # ends a sentence, or a quotation, and no address
_PAIRS = {")": "(", "]": "[", "\u300d": "\u300c"}


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text.

    Args:
        start: Where it begins in the text.
        end: Where it ends.
        address: The address, in ASCII.
    """

    start: int
    end: int
    address: str


def links_in(text: str) -> list[Link]:
    """Return the links in a text, in their order. Hostile texts take linear time.

    Args:
        text: A text that ``clean`` has made harmless.
    """
    if "://" not in text:
        return []
    found = []
    for match in _LINK.finditer(text):
        shown = match[0][: _length(match[0])]
        address = quote(shown, safe=_KEPT, errors="replace")
        if _HOST.match(shown) and len(address) <= LONGEST:
            found.append(Link(match.start(), match.start() + len(shown), address))
    return found


def _length(text: str) -> int:
    """Return the length of a link without the punctuation after it; a bracket opened in the link belongs to it."""
    end = len(text)
    surplus = {close: text.count(close) - text.count(open) for close, open in _PAIRS.items()}
    while end:
        last = text[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _AFTER:
            break
        end -= 1
    return end
