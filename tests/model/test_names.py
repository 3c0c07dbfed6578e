"""Which names are refused, and which two names count as one."""

import itertools
import string
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatroom.model import names
from chatroom.model.names import BadName, Name, guest_name, room_name, user_name
from chatroom.model.text import clean

COCO = "\u0441\u043e\u0441\u043e"  # Cyrillic throughout
ALPHABET = "letters, digits"
LENGTH = "at most 32 characters"
SCRIPT = "one script"
START = "starts with"
RIGHT_TO_LEFT = "right to left"
RESERVED = "reserved"
PLAIN = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True)
ANYTHING = st.one_of(
    PLAIN,
    st.text(st.characters(exclude_categories=[]), max_size=34),
    st.text(st.characters(categories=["L", "M", "Nd"]), max_size=4),
    st.text(
        st.sampled_from("aI1mMi-_.\u0130\u0131\u0307\u0301\uff21\uff76\uff9e\u0958\u0391\u03a3\u212a"), max_size=34
    ),
    st.text(
        st.sampled_from("\u05d0\u0627\u0660\u06f0\u0e01\u0e51\u0430\u0441\u4e00\u3042\u30a2\uac00\u31051-"), max_size=5
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "Bob_2.x-",
        "7",
        "guest",
        "guest_1",
        "admins",
        "x" * 32,
        "Jos\xe9",
        "e" + "\u0323\u0301\u0302\u0303",
        COCO,
        COCO + "-1",
        "\u5c71\u7530\u305f\u308d\u30e9\u30fc",
        "\u6f22\ud64d",
        "\u6f22\u3105",
        "\u0e44\u0e17\u0e22\u0e51\u0e52",
        "\u0e44\u0e17\u0e2212",
        "\u05d0\u05d11",
        "\u0627\u0660",
        "\u0915\u093f",
        "\u1019\u103c\u103d\u103e\u102d\u102f\u1036\u1037\u1010",  # Burmese: seven marks on a letter
        "\u0f67\u0f90\u0fa8\u0fb3\u0fba\u0fbc\u0fbb",  # Tibetan
        "\u0e01\u0e34\u0e38\u0e4d\u0e49\u0e4c",  # Thai
    ],
    ids=ascii,
)
def test_good_names(text: str) -> None:
    assert user_name(text).shown == room_name(text).shown == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one character"),
        ("a" * 33, LENGTH),
        ("a" * 5000, LENGTH),
        ("\u0958" * 17, LENGTH),  # NFC makes two characters of one
        ("\u0130" * 17, LENGTH),  # lower case makes two characters of one
        ("a b", ALPHABET),
        ("alice\n", ALPHABET),
        ("a\nb", ALPHABET),
        ("a\tb", ALPHABET),
        ("a\0", ALPHABET),
        ("/me", ALPHABET),
        ("a/b", ALPHABET),
        ("#x", ALPHABET),
        ("a,b", ALPHABET),
        ("a|b", ALPHABET),
        ("x@y", ALPHABET),
        ("a\U0001f600", ALPHABET),
        ("a\u200db", ALPHABET),
        ("a\u200bb", ALPHABET),
        ("a\ufe0f", ALPHABET),
        ("a\xadb", ALPHABET),
        ("\u202eabc", ALPHABET),
        ("a\u2066b", ALPHABET),
        ("a\u2010b", ALPHABET),
        ("a\xb2", ALPHABET),
        ("a\u2160", ALPHABET),
        ("\U0001d44e", ALPHABET),
        ("\u3164", ALPHABET),
        ("\ud800", ALPHABET),
        ("a\udfffb", ALPHABET),
        ("l\xb7l", ALPHABET),  # PRECIS allows a middle dot there
        ("\u0301", START),
        ("\u0301a", START),
        ("-a", START),
        ("_a", START),
        (".a", START),
        ("-\xe9", START),
        ("...", START),
        ("x" + "\u0323" * 5, "at most 4 marks"),
        ("\u0130" + "\u0301" * 4, "at most 4 marks"),  # lower case takes the dot off
        ("H\u0331" + "\u0323" * 4, "at most 4 marks"),  # lower case puts the line on
        ("\u1019" + "\u103b" * 5, "at most 4 marks"),
        ("\u1019" + "".join(map(chr, range(0x102B, 0x1036))), "at most 4 marks"),
        ("p\u0430ul", SCRIPT),
        ("\u0430dmin", SCRIPT),
        ("gu\u0435st-x", SCRIPT),
        ("\u03b1\u0430", SCRIPT),
        ("\u6f22a", SCRIPT),
        ("\u3042\uac00", SCRIPT),
        ("\u6f22\u3042\u3105", SCRIPT),
        ("a\u0e51", SCRIPT),
        ("a\u0483", SCRIPT),  # a Cyrillic mark
        ("\u0e44\u0e511", "one kind of digits"),
        ("\u05d0a", RIGHT_TO_LEFT),
        ("a\u05d0", RIGHT_TO_LEFT),
        ("\u05d0-", RIGHT_TO_LEFT),
        ("a\u0663", RIGHT_TO_LEFT),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_bad_names(text: str, reason: str) -> None:
    with pytest.raises(BadName, match=reason):
        user_name(text)
    if len(text) <= 32 and reason != LENGTH:
        with pytest.raises(BadName, match=reason):
            room_name(text)


def test_a_room_has_a_longer_name() -> None:
    assert room_name("x" * 64).shown == "x" * 64
    assert room_name("\xe9" * 64).shown == "\xe9" * 64
    for text in ("x" * 65, "\xe9" * 65):
        with pytest.raises(BadName, match="at most 64 characters"):
            room_name(text)


def test_nothing_is_done_with_a_name_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_profile", None)
    monkeypatch.setattr(names, "_PLAIN", None)
    with pytest.raises(BadName, match=LENGTH):
        user_name("\xe9" * 1_000_000)
    with pytest.raises(BadName, match=LENGTH):
        guest_name("\xe9" * 1_000_000)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alice", Name("Alice", "alice", "alice")),
        ("alIce", Name("alIce", "alice", "allce")),
        ("\uff21\uff4c\uff49\uff43\uff45\uff11", Name("Alice1", "alice1", "alicel")),
        ("Jose\u0301", Name("Jos\xe9", "jos\xe9", "jose\u0301")),
        ("\uff76\uff9e", Name("\u30ac", "\u30ac", "\u30ab\u3099")),
        ("\u0421\u041e\u0441\u043e", Name("\u0421\u041e\u0441\u043e", COCO, "coco")),
    ],
    ids=ascii,
)
def test_the_three_forms(text: str, name: Name) -> None:
    assert user_name(text) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alIce", "allce"),
        ("a1ice", "aLice"),
        ("b0b", "bob"),
        ("bOb", "bob"),
        ("rnike", "mike"),
        ("RNIKE", "MIKE"),
        ("Rnike", "Mike"),
        (COCO, "coco"),
        ("\u041c\u0410\u0425", "max"),  # Cyrillic
        ("\u0391\u039d\u039d\u0391", "anna"),  # Greek
        ("\u03bf\u03bf", "oo"),
        ("\u0261reta", "greta"),  # U+0261, Latin
        ("l\u0131nda", "linda"),  # dotless i
        ("li\u0307nda", "linda"),  # dotted twice
        ("fi\u1e37j\u0307", "fi\u1e37j"),
        ("Jose\u0301", "Jos\xe9"),
        ("\u0441\u04c0\u0430", "cIa"),  # palochka
    ],
    ids=ascii,
)
def test_names_that_look_the_same(one: str, other: str) -> None:
    assert room_name(one).look == room_name(other).look


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "alicia"),
        ("bob", "rob"),
        ("alice", "allce"),
        ("Jos\xe9", "Jose"),
        ("a-b", "a_b"),
        ("a.b", "a-b"),
        ("ab", "a.b"),
        ("u5", "us"),
        ("\u0430\u043d\u043d\u0430", "anna"),  # a Cyrillic small en is no Latin n
        ("\u0438\u0432\u0430\u043d", "\u0456\u0432\u0430\u043d"),
        ("\u05d0\u05d1", "\u05d1\u05d0"),
    ],
    ids=ascii,
)
def test_names_that_look_different(one: str, other: str) -> None:
    assert user_name(one).look != user_name(other).look


def test_ten_thousand_numbered_users_look_different() -> None:
    assert len({user_name(f"u{number}").look for number in range(10_000)}) == 10_000


def test_every_character_has_a_settled_look() -> None:
    cased = {char for char in map(chr, range(0x110000)) if char.casefold() != char}
    for char in cased | set(map(chr, names._confusables())):
        look = names._wide_look(char)
        assert names._wide_look(look) == look


def test_ascii_has_the_same_classes_in_both_tables() -> None:
    for one, other in itertools.combinations(string.ascii_letters + string.digits + "-_.", 2):
        alike = names.skeleton(one) == names.skeleton(other)
        assert alike == (names._wide_look(one) == names._wide_look(other)), (one, other)


def test_all_digits_but_those_of_ascii_have_a_script() -> None:
    from confusable_homoglyphs.categories import aliases_categories  # type: ignore[import-untyped]

    digits = [
        char for char in map(chr, range(128, 0x110000)) if char.isdecimal() and not unicodedata.decomposition(char)
    ]
    assert len(digits) > 500
    assert not {aliases_categories(digit)[0] for digit in digits} & {"COMMON", "INHERITED", "Unknown"}


@settings(deadline=None)  # the first example loads the tables
@given(PLAIN)
@example("I1l0OomMrn")
def test_the_short_cut_for_ascii_changes_nothing(text: str) -> None:
    assert room_name(text) == names._mapped_name(text, 64)
    assert names.skeleton(text) == names._wide_look(text)


def test_ascii_names_load_no_tables() -> None:
    assert _confusable_modules("names.user_name('Alice'); names.room_name('x1')") == []


def test_the_big_table_is_let_go() -> None:
    loaded = _confusable_modules(f"names.user_name({COCO!r})")
    assert "confusable_homoglyphs.categories" in loaded
    assert "confusable_homoglyphs.confusables" not in loaded


def _confusable_modules(code: str) -> list[str]:
    """Return the modules of confusable_homoglyphs that a fresh interpreter has after the code."""
    show = "print(*(name for name in sys.modules if name.startswith('confusable_homoglyphs')))"
    command = [sys.executable, "-c", f"import sys; from chatroom.model import names; {code}; {show}"]
    root = Path(names.__file__).parents[2]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("word", ["server", "admin", "system", "guest-x"])
def test_reserved_names_are_refused_to_users_in_any_case(word: str) -> None:
    for text in map("".join, itertools.product(*({char, char.upper()} for char in word))):
        with pytest.raises(BadName, match=RESERVED):
            user_name(text)
        assert room_name(text).folded == word


@pytest.mark.parametrize(
    "text",
    [
        "guest-",
        "Guest-7",
        "guest-\xe9",
        "\uff27uest-1",
        "\u0261uest-x",
        "systern",
        "adrnin",
        "ADM1N",
        "adm\u0131n",
        "admi\u0307n",
        "ADM\u0130N",
        "\uff33erver",
    ],
    ids=ascii,
)
def test_look_alikes_of_reserved_names_are_refused_to_users(text: str) -> None:
    with pytest.raises(BadName, match=RESERVED):
        user_name(text)


@pytest.mark.parametrize("tail", ["1", "x" * 26, "Blue-Fox", "\xe9"])
def test_guests_have_names_users_cannot_have(tail: str) -> None:
    name = guest_name(tail)
    assert name == room_name("guest-" + tail)
    with pytest.raises(BadName, match=RESERVED):
        user_name(name.shown)


@pytest.mark.parametrize(
    ("tail", "reason"), [("", "something after"), ("x" * 27, LENGTH), ("a b", ALPHABET), (COCO, SCRIPT)]
)
def test_bad_guests(tail: str, reason: str) -> None:
    with pytest.raises(BadName, match=reason):
        guest_name(tail)


@settings(deadline=None)
@given(ANYTHING)
@example("\u0958" * 16)
@example("\uff76\uff9e")
@example("\u0130")
def test_a_name_is_refused_or_good_to_come_in_again(text: str) -> None:
    try:
        name = user_name(text)
    except BadName:
        return
    assert user_name(name.shown) == name
    assert room_name(name.folded).folded == name.folded
    assert clean(name.shown) == name.shown
    assert 0 < len(name.shown) <= 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("BOB", "bob"),
        ("Zoe\u0308", "zo\xeb"),  # decomposed, as macOS types it
        ("\uff22\uff4f\uff42", "bob"),  # full width
        ("STRA\u1e9eE", "stra\xdfe"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),  # a final sigma
        ("Guest-K3F9", "guest-k3f9"),
    ],
    ids=ascii,
)
def test_texts_that_mean_the_same_name_fold_alike(one: str, other: str) -> None:
    assert names.fold(one) == names.fold(other)


@settings(deadline=None)
@given(ANYTHING)
def test_folding_is_that_of_names_and_never_fails(text: str) -> None:
    try:
        assert names.fold(text) == room_name(text).folded
    except BadName:
        assert names.fold(names.fold(text)) == names.fold(text)


def test_different_names_fold_differently() -> None:
    assert names.fold("stra\xdfe") != names.fold("strasse")
    assert names.fold("jos\xe9") != names.fold("jose")
    assert names.fold("\xe9" * 65) != names.fold("\xe9" * 64)
