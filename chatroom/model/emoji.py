"""What may be a reaction: an emoji, or another short text of which all can be seen."""

import re

from chatroom.model.text import clean, hides_something

EMOJI_BYTES = 32
EMOJI_CHARACTERS = 10  # code points; the longest emojis, such as families and flags of regions, have seven

_JOINER = "\u200d"  # makes one emoji of two
_STYLES = "\ufe0e\ufe0f"  # ask for the plain or the coloured form of the character before; keyboards differ in it
_UNSEEN = re.compile(f"[{_JOINER}{_STYLES}]")
# A flag of a region is a black flag, tags that name the region, and a tag that ends them.
_REGION = re.compile("(?<=\U0001f3f4)[\U000e0030-\U000e007a]{3,6}\U000e007f")


def is_emoji(text: str) -> bool:
    """Return whether a text may be a reaction: it is short, and hides nothing, such as blanks and controls."""
    if not text or len(text) > EMOJI_CHARACTERS or len(text.encode("utf-8", "replace")) > EMOJI_BYTES:
        return False
    seen = _REGION.sub("", _UNSEEN.sub("", text))
    return bool(seen) and clean(text) == text and not hides_something(seen)


def same_emoji(one: str, other: str) -> bool:
    """Return whether two emojis are the same reaction: characters that are not seen make no difference."""
    return _UNSEEN.sub("", one) == _UNSEEN.sub("", other)
