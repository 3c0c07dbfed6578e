"""The rules for names of users and rooms, so that nobody can mistake one name for another.

A name has three forms: one to show, one to compare, and one that is equal for all names that look alike to a reader.
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
# Like "highly restrictive" of UTS 39, section 5.2, but without Latin.
_SCRIPTS_USED_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
# The part of _confusables() that concerns ASCII names, so that its tables are not loaded for these.
_ASCII_CONFUSABLES = str.maketrans({"I": "l", "1": "l", "0": "o", "m": "rn", "M": "rn"})
# Letters and what they look like, where UTS 39 names another letter or none: palochka, turned l, soft sign, tone six.
_MORE_TWINS = {"\u04cf": "l", "\ua781": "l", "\u044c": "b", "\u0185": "b"}
_LETTERS_LIKE_DIGITS = str.maketrans("258", "zsb")  # skeleton() replaces 0 and 1


@dataclass(frozen=True, slots=True)
class Name:
    """A valid name.

    Attributes:
        shown: The name as given, width-mapped and in NFC, with its case (RFC 8265, UsernameCasePreserved).
        folded: The form that is compared (RFC 8265, UsernameCaseMapped).
        look: The case-folded skeleton (UTS 39, section 4). Readers cannot tell names with the same look apart.
    """

    shown: str
    folded: str
    look: str


class BadName(ValueError):
    """The name is not allowed. The error's text is part of a sentence for the user, and says what a name must be."""


def user_name(text: str) -> Name:
    """Return the name of a user.

    Args:
        text: The wanted name; any text.

    Returns:
        The name in its three forms.

    Raises:
        BadName: The name breaks a rule, or it is or looks like a name reserved for the server or for guests.
    """
    name = _name(text, USER_LIMIT)
    if name.look in _RESERVED_LOOKS or name.look.startswith(_GUEST_LOOK):
        raise BadName("this name, or one that looks like it, is reserved")
    return name


def room_name(text: str) -> Name:
    """Return the name of a room. The rules are those for users, but the name may be longer, and none is reserved.

    Args:
        text: The wanted name, without '#'.

    Returns:
        The name in its three forms.

    Raises:
        BadName: The name breaks a rule.
    """
    return _name(text, ROOM_LIMIT)


def room_looks(name: Name) -> tuple[str, ...]:
    """Return all looks of a room's name. Readers cannot tell two rooms apart that have a look in common.

    These are the ``look`` of the shown and of the folded form. Digits count as the letters that they look like, and a 1
    counts both as l and as i. Digits at the end of a name are a number: ``lab5`` does not look like ``labs``.
    """
    texts = {name.shown, name.folded}
    texts |= {text.replace("1", "i") for text in texts}
    return tuple(sorted({*map(_look_of_letters, texts), *_looks_of_capitals(name.shown)}))


def user_looks(name: Name) -> tuple[str, ...]:
    """Return all looks of a user's name, at most seven. Readers cannot tell two users apart that have a look in common.

    These are the looks of a room of the same name, and the name's ``look``, under which older versions kept accounts.
    """
    return tuple(sorted({name.look, *room_looks(name)}))


def _looks_of_capitals(text: str) -> set[str]:
    """Return the looks of a name that is not Latin but looks Latin in capitals.

    Some scripts, such as Lisu, have only letters that look like Latin capitals. A capital I counts both as i and as l.
    """
    if text.isascii():
        return set()
    capitals = normalize("NFD", text.upper()).translate(_confusables())
    return {capitals.lower(), capitals.replace("l", "i").lower()} if capitals.isascii() else set()


def _look_of_letters(text: str) -> str:
    """Return the skeleton of a text, in which digits before the end are replaced by the letters that they look like."""
    look = skeleton(text)
    word = look.rstrip(digits)
    return word.translate(_LETTERS_LIKE_DIGITS) + look[len(word) :]


def guest_name(tail: str) -> Name:
    """Return the name of a guest who has not chosen one. `user_name` refuses such names.

    Args:
        tail: The part that differs from guest to guest.

    Returns:
        The name in its three forms.

    Raises:
        BadName: The tail is empty, or the whole name breaks a rule.
    """
    if not tail:
        raise BadName(f"a guest's name has something after {GUEST!r}")
    return _name(GUEST + tail, USER_LIMIT)


def is_guest_name(name: Name) -> bool:
    """Return whether a name is that of a guest who has not chosen one."""
    return name.look.startswith(_GUEST_LOOK)


def fold(text: str) -> str:
    """Return the form of a text in which names are compared. Never raises.

    All code that compares names compares this form: two texts mean the same name if and only if their forms are equal.

    Args:
        text: A name, or any other text.

    Returns:
        The ``folded`` form of a name. For any other text, a form that no name has.
    """
    if text.isascii():
        return text.lower()  # the folded form of a plain name; no other ASCII text is a name
    return _folded(text) if len(text) <= ROOM_LIMIT else text


@lru_cache(4096)
def _folded(text: str) -> str:
    """Do what ``fold`` does for a text that is not ASCII. Cached, because the rules take 30 us for each message."""
    try:
        return _name(text, ROOM_LIMIT).folded
    except BadName:
        form = normalize("NFC", text)
        return form.lower() if form.isascii() else form  # NFC can make a text ASCII: the Kelvin sign becomes K


def _name(text: str, limit: int) -> Name:
    """Return the name if it breaks none of the rules for both users and rooms."""
    _check_length(text, limit)
    if _PLAIN.fullmatch(text):
        return Name(text, text.lower(), skeleton(text))
    return _mapped_name(text, limit)


def _mapped_name(text: str, limit: int) -> Name:
    """Do what `_name` does, by the full rules instead of the shortcut for ASCII."""
    try:
        shown = _profile("UsernameCasePreserved").enforce(text)
        folded = _profile("UsernameCaseMapped").enforce(shown)
    except UnicodeError as error:
        raise BadName(_ONE_DIRECTION if "bidi_rule" in str(error) else _ALPHABET) from error
    # Mapping can lengthen a name (NFC decomposes U+0958), and the result must itself be a valid name.
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
    # Others would see the cleaned name, so cleaning must change nothing: only piled-up marks are left to clean here.
    if clean(text) != text:
        raise BadName(f"a name has at most {MARKS_IN_A_ROW} marks on a letter, or more if its script needs them")


def _check_scripts(text: str) -> None:
    """Refuse mixed scripts and mixed digits (UTS 39, sections 5.1 to 5.3)."""
    # Not at the top: it loads tables, and urllib, which a server with only ASCII names never needs.
    from confusable_homoglyphs.categories import aliases_categories  # type: ignore[import-untyped]

    scripts = {aliases_categories(char)[0] for char in text} - {"COMMON", "INHERITED"}
    if len(scripts) > 1 and not any(scripts <= together for together in _SCRIPTS_USED_TOGETHER):
        raise BadName("a name is written in one script")
    # All digits except the ASCII ones have a script, which was checked above.
    if len({ord(char) - decimal(char) for char in text if char.isdecimal()}) > 1:
        raise BadName("a name has one kind of digits")


def skeleton(text: str) -> str:
    """Return the case-folded skeleton of any text (UTS 39, section 4). It is equal for texts that look alike."""
    return text.translate(_ASCII_CONFUSABLES).lower() if text.isascii() else _wide_look(text)


def _wide_look(text: str) -> str:
    """Do what `skeleton` does, for any text."""
    # One round makes the skeleton. Its folded form can be confusable again (M, m, rn); three rounds settle all cases.
    for _ in range(3):
        text = normalize("NFD", text).translate(_confusables()).casefold()
        # A dot above is invisible on letters that have a dot, or nearly have one (UTS 39, section 5.4).
        text = _HIDDEN_DOT.sub("", text)
    return text


@cache
def _confusables() -> dict[int, str]:
    """Return the table for `str.translate` from each confusable character to the text that represents its class."""
    # Loaded here and not by confusable_homoglyphs.confusables, because that module would keep all of it in memory.
    from confusable_homoglyphs.utils import load  # type: ignore[import-untyped]

    classes: dict[str, list[str]] = {}
    for look, twins in load("confusables.json").items():
        for twin in twins:
            _unite(classes, _bare(look), _bare(twin["c"]))
    table = {ord(one): min(alike, key=_preference) for one, alike in classes.items() if len(one) == 1}
    return {**table, **{ord(twin): look for twin, look in _MORE_TWINS.items()}}


def _bare(look: str) -> str:
    """Return a text of the confusables table without the marks (LRM) that it puts around right-to-left texts."""
    return look.replace("\u200e", "")


def _unite(classes: dict[str, list[str]], one: str, other: str) -> None:
    """Merge the classes (lists of texts that look alike) of two texts into one list, which all its members share."""
    smaller, larger = sorted((classes.setdefault(one, [one]), classes.setdefault(other, [other])), key=len)
    if larger is not smaller:
        larger.extend(smaller)
        classes.update(dict.fromkeys(smaller, larger))


def _preference(look: str) -> tuple[bool, bool, bool, bool, str]:
    """Return a sort key by which the text that stands for a set of look-alike texts comes first.

    Texts of several characters come before single ones: "rn" stands for "m", because the skeleton replaces one
    character at a time and could not turn "rn" into "m". Then come ASCII, letters, and texts that case
    folding does not change.
    """
    return len(look) == 1, not look.isascii(), not look.isalpha(), look != look.casefold(), look


# Also in upper case, which has other look-alikes: "ADM1N" looks like "ADMIN", but not like "admin".
_RESERVED_LOOKS = frozenset(skeleton(case) for word in ("server", "admin", "system") for case in (word, word.upper()))
_GUEST_LOOK = skeleton(GUEST)


def load_rules() -> None:
    """Load the PRECIS rules for names outside ASCII, so that the first such name keeps nobody waiting."""
    _profile("UsernameCasePreserved")
    _profile("UsernameCaseMapped")


@cache
def _profile(name: str) -> Any:
    from precis_i18n import get_profile  # loads tables that names in ASCII never need

    return get_profile(name)
