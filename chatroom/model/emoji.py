"""What may be a reaction: an emoji, or another short sign of which all can be seen, such as ``+1``, but no words."""

import re

from chatroom.model.text import clean, hides_something

EMOJI_BYTES = 32
EMOJI_CHARACTERS = 10  # code points; the longest emojis, such as families and flags of regions, have seven

_JOINER = "\u200d"  # makes one emoji of two
_STYLES = "\ufe0e\ufe0f"  # ask for the plain or the coloured form of the character before; keyboards differ in it
_UNSEEN = re.compile(f"[{_JOINER}{_STYLES}]")
# A flag of a region is a black flag, tags that name the region, and a tag that ends them.
_REGION = re.compile("(?<=\U0001f3f4)[\U000e0030-\U000e007a]{3,6}\U000e007f")


_KEYCAP = "\u20e3"  # stands above the character before, as in a key with a 1
_REFUSED = '"\ufffd'  # the end of a quotation, and what stands for something else


def is_emoji(text: str) -> bool:
    """Return whether a text may be a reaction: it is short, and hides nothing, such as blanks and controls.

    It has no letters: reactions cost nothing in a slow room, so they must not be able to say anything.
    """
    if not text or len(text) > EMOJI_CHARACTERS or len(text.encode("utf-8", "replace")) > EMOJI_BYTES:
        return False
    seen = _REGION.sub("", _UNSEEN.sub("", text))
    if not seen or seen[0] == _KEYCAP or any(char in _REFUSED or char.isalpha() for char in seen):
        return False
    return clean(text) == text and not hides_something(seen)


def same_emoji(one: str, other: str) -> bool:
    """Return whether two emojis are the same reaction: characters that are not seen make no difference."""
    return _UNSEEN.sub("", one) == _UNSEEN.sub("", other)
