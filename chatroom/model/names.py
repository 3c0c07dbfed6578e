"""What a user or a room may be called: names that nobody can mistake for one another.

A name has three forms: one to show, one to compare, and one that is equal for any two names a reader would confuse.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from string import digits
from typing import Any
from unicodedata import category, decimal, normalize

from chatroom.model.text import MARKS_IN_A_ROW, clean, hides_something

USER_LIMIT = 32
ROOM_LIMIT = 64
GUEST = "guest-"

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ALPHABET = "a name is made of letters, digits, '-', '_' and '.' only"
_HIDDEN_DOT = re.compile("(?<=[ijl])\u0307")
_ONE_DIRECTION = (
    "a name written from right to left starts with a letter, ends with a letter or a digit, "
    "and has no left-to-right letters"
)
# UTS 39, section 5.2, "highly restrictive", but none of them together with Latin.
_SCRIPTS_USED_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
# The part of _confusables() that concerns ASCII names, so that these never need to load what is behind it.
_ASCII_CONFUSABLES = str.maketrans({"I": "l", "1": "l", "0": "o", "m": "rn", "M": "rn"})
_LETTERS_LIKE_DIGITS = str.maketrans("258", "zsb")  # the 0 and the 1 are in the skeleton


@dataclass(frozen=True, slots=True)
class Name:
    """A name that passed every rule.

    Attributes:
        shown: as given, width-mapped and NFC, case kept (RFC 8265, UsernameCasePreserved).
        folded: what is compared (RFC 8265, UsernameCaseMapped).
        look: the skeleton (UTS 39, section 4), case-folded; readers cannot tell names of equal look apart.
    """

    shown: str
    folded: str
    look: str


class BadName(ValueError):
    """A refused name; its text is a sentence fragment for the user that says what a name has to be."""


def user_name(text: str) -> Name:
    """Return the name of a user.

    Args:
        text: what somebody wants to be called; anything may be in it.

    Returns:
        The name in its three forms.

    Raises:
        BadName: it breaks a rule, or is or looks like a name the server keeps for itself or for guests.
    """
    name = _name(text, USER_LIMIT)
    if name.look in _RESERVED_LOOKS or name.look.startswith(_GUEST_LOOK):
        raise BadName("this name, or one that looks like it, is reserved")
    return name


def room_name(text: str) -> Name:
    """Return the name of a room; like a user's, but longer, and none is reserved.

    Args:
        text: what somebody wants to call the room, without any '#'.

    Returns:
        The name in its three forms.

    Raises:
        BadName: it breaks a rule.
    """
    return _name(text, ROOM_LIMIT)


def room_looks(name: Name) -> tuple[str, ...]:
    """Return all looks of a room's name. Readers cannot tell two rooms apart that have one in common.

    They are the name's ``look``, and that of its compared form; digits count as the letters that they look like, and a
    1 as l and as i. Digits at the end of a name are a number: ``lab5`` does not look like ``labs``.
    """
    texts = {name.shown, name.folded}
    texts |= {text.replace("1", "i") for text in texts}
    return tuple(sorted(set(map(_look_of_letters, texts))))


def user_looks(name: Name) -> tuple[str, ...]:
    """Return all looks of a user's name, at most five. Readers cannot tell two users apart that have one in common.

    They are those that a room of this name has, and the name's ``look``, under which older accounts are kept.
    """
    return tuple(sorted({name.look, *room_looks(name)}))


def _look_of_letters(text: str) -> str:
    look = skeleton(text)
    word = look.rstrip(digits)
    return word.translate(_LETTERS_LIKE_DIGITS) + look[len(word) :]


def guest_name(tail: str) -> Name:
    """Return the name of a guest, one that `user_name` refuses.

    Args:
        tail: what tells this guest from the others.

    Returns:
        The name in its three forms.

    Raises:
        BadName: the tail is empty, or the whole breaks a rule.
    """
    if not tail:
        raise BadName(f"a guest's name has something after {GUEST!r}")
    return _name(GUEST + tail, USER_LIMIT)


def is_guest_name(name: Name) -> bool:
    """Return whether it is a name of a guest who has not chosen one."""
    return name.look.startswith(_GUEST_LOOK)


def fold(text: str) -> str:
    """Return the form in which names are compared, of a text that somebody gave for a name.

    Whatever compares names compares this form: two texts mean the same name exactly if it is equal.

    Args:
        text: A name, or anything else; nothing makes this raise.

    Returns:
        For a name its ``folded``; for anything else a form that equals none of a name.
    """
    if text.isascii():
        return text.lower()  # what _PLAIN folds to, and for others as good as anything
    return _folded(text) if len(text) <= ROOM_LIMIT else text


@lru_cache(4096)
def _folded(text: str) -> str:
    """Return what ``fold`` does for a text that is not ASCII. Rules cost 30 us, and messages ask for each again."""
    try:
        return _name(text, ROOM_LIMIT).folded
    except BadName:
        return normalize("NFC", text)


def _name(text: str, limit: int) -> Name:
    """Return the name if it breaks no rule that holds for users and rooms alike."""
    _check_length(text, limit)
    if _PLAIN.fullmatch(text):
        return Name(text, text.lower(), skeleton(text))
    return _mapped_name(text, limit)


def _mapped_name(text: str, limit: int) -> Name:
    """Return what `_name` does, by the full rules instead of the ASCII short cut."""
    try:
        shown = _profile("UsernameCasePreserved").enforce(text)
        folded = _profile("UsernameCaseMapped").enforce(shown)
    except UnicodeError as error:
        raise BadName(_ONE_DIRECTION if "bidi_rule" in str(error) else _ALPHABET) from error
    # Mapping can lengthen a name (NFC takes U+0958 apart), and what comes out must be good to come in again.
    for form in (shown, folded):
        _check_length(form, limit)
        _check_characters(form)
    _check_scripts(shown)
    return Name(shown, folded, skeleton(shown))


def _check_length(text: str, limit: int) -> None:
    if len(text) > limit:
        raise BadName(f"a name has at most {limit} characters")
    if not text:
        raise BadName("a name has at least one character")


def _check_characters(text: str) -> None:
    kinds = [category(char) for char in text]
    if hides_something(text) or not all(
        kind[0] in "LM" or kind == "Nd" or char in "-_." for kind, char in zip(kinds, text, strict=True)
    ):
        raise BadName(_ALPHABET)
    if kinds[0][0] != "L" and kinds[0] != "Nd":
        raise BadName("a name starts with a letter or a digit")
    # What cleaning would change is not what others get to see: piled-up marks, the only such thing left by now.
    if clean(text) != text:
        raise BadName(f"a name has at most {MARKS_IN_A_ROW} marks on a letter, or more if its script needs them")


def _check_scripts(text: str) -> None:
    """Refuse mixed scripts and mixed digits (UTS 39, sections 5.1 to 5.3)."""
    # Not at the top: it loads tables, and urllib, which a server of ASCII names never needs.
    from confusable_homoglyphs.categories import aliases_categories  # type: ignore[import-untyped]

    scripts = {aliases_categories(char)[0] for char in text} - {"COMMON", "INHERITED"}
    if len(scripts) > 1 and not any(scripts <= together for together in _SCRIPTS_USED_TOGETHER):
        raise BadName("a name is written in one script")
    # All digits but the ASCII ones have a script, so these belong to the letters by now.
    if len({ord(char) - decimal(char) for char in text if char.isdecimal()}) > 1:
        raise BadName("a name has one kind of digits")


def skeleton(text: str) -> str:
    """Return the case-folded skeleton of any text (UTS 39, section 4): equal for texts that look alike."""
    return text.translate(_ASCII_CONFUSABLES).lower() if text.isascii() else _wide_look(text)


def _wide_look(text: str) -> str:
    """Return what `_look` does, for any text."""
    # One round is the skeleton. What it is folded to can be confusable in turn (M, m, rn); three rounds settle all.
    for _ in range(3):
        text = normalize("NFD", text).translate(_confusables()).casefold()
        # A dot above does not show on letters that have one or nearly do (UTS 39, section 5.4).
        text = _HIDDEN_DOT.sub("", text)
    return text


@cache
def _confusables() -> dict[int, str]:
    """Return the table for `str.translate` from each confusable character to what stands for all its like."""
    # Read here, not through confusable_homoglyphs.confusables: that module would keep all of it for good.
    from confusable_homoglyphs.utils import load  # type: ignore[import-untyped]

    classes: dict[str, list[str]] = {}
    for look, twins in load("confusables.json").items():
        for twin in twins:
            _unite(classes, _bare(look), _bare(twin["c"]))
    return {ord(one): min(alike, key=_preference) for one, alike in classes.items() if len(one) == 1}


def _bare(look: str) -> str:
    """Return an entry without the marks (LRM) put around right-to-left ones for display."""
    return look.replace("\u200e", "")


def _unite(classes: dict[str, list[str]], one: str, other: str) -> None:
    """Make the classes of the two one class, shared by all its members."""
    smaller, larger = sorted((classes.setdefault(one, [one]), classes.setdefault(other, [other])), key=len)
    if larger is not smaller:
        larger.extend(smaller)
        classes.update(dict.fromkeys(smaller, larger))


def _preference(look: str) -> tuple[bool, bool, bool, bool, str]:
    """Return a sort key that puts first what best stands for a class.

    More than one character come first, as "rn" for "m": only so can a text with the two letters look the same. Then
    ASCII, letters, and what case folding leaves alone.
    """
    return len(look) == 1, not look.isascii(), not look.isalpha(), look != look.casefold(), look


# Upper case too, because of its own look-alikes: "ADM1N" looks like "ADMIN", though not like "admin".
_RESERVED_LOOKS = frozenset(skeleton(case) for word in ("server", "admin", "system") for case in (word, word.upper()))
_GUEST_LOOK = skeleton(GUEST)


def load_rules() -> None:
    """Load the tables that names outside ASCII need, so that the first of them keeps nobody waiting."""
    _profile("UsernameCasePreserved")
    _profile("UsernameCaseMapped")


@cache
def _profile(name: str) -> Any:
    from precis_i18n import get_profile  # loads tables that names in ASCII never need

    return get_profile(name)
