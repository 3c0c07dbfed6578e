"""Names that pose as the server: none may be chosen, and every word that begins a line of the server is one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import chatroom
from chatroom.chat.reserved_names import BEGINNINGS, chosen_name
from chatroom.model.names import BadName, user_name

ROOT = Path(chatroom.__file__).parent
FOLDERS = ("model", "chat", "wire")
SPEAKING = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def beginnings(source: str) -> set[str]:
    """Return the words with which the texts in a module begin, if they are written like the start of a sentence."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = set()
    for node in ast.walk(tree):
        first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
        if id(node) in docstrings or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        word = re.match(r"[A-Z][a-z]*(?=[ :!.,])", first.value)
        if word:
            found.add(word[0])
    return found


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_of_the_server_begins_with_a_word_that_is_free(path: Path) -> None:
    for word in beginnings(path.read_text()):
        with pytest.raises(BadName, match="taken for the server"):
            chosen_name(word)


def test_the_check_sees_the_words_that_it_is_there_for() -> None:
    assert {"Welcome", "Current", "To", "Error"} <= beginnings((ROOT / "model" / "wording.py").read_text())
    assert beginnings('"""Doc here."""\nx = f"Greetings {y}", "plain words", "Farewell!"') == {"Greetings", "Farewell"}


@pytest.mark.parametrize(
    "text",
    [
        "Error", "ERROR", "3rror", "Operator", "0perat0r", "operat\u00f3r", "5erver", "S3RVER", "m0derator",
        "Moderat0r", "rn0derator", "adm1n", "4dmin", "Welc0me", "VVelcome", "Users", "U5ers", "To", "t0",
        "Sy5tem", "Moderators", "ops", "Note", "Shutdown", "Everyone", "login", "guests", "Error.", "e-r-r-o-r",
        "The_Server", "system-message", "Topic", "Announcement", "ch4troom",
    ],
    ids=ascii,
)  # fmt: skip
def test_names_that_pose_are_refused(text: str) -> None:
    with pytest.raises(BadName):
        chosen_name(text)


@pytest.mark.parametrize(
    "text",
    ["\u0435\u0433\u0433\u043e\u0433", "\u0440\u043eot", "\uff25rror", "\u0405\u0443\u0455\u0442\u0435\u043c"],
    ids=ascii,
)
def test_other_scripts_that_look_like_them_are_refused(text: str) -> None:
    with pytest.raises(BadName):
        chosen_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "alice", "bob-2", "Tom", "Tony", "errol", "Roomba", "servers-mate", "operatic", "guest_1", "build-server", "7",
        "user5", "room12", "Hostess", "noah", "Yousef", "inga", "\u4f60\u597d", "\u0422\u043e\u043b\u044f",
    ],
    ids=ascii,
)  # fmt: skip
def test_other_names_are_free(text: str) -> None:
    assert chosen_name(text) == user_name(text)


def test_the_name_of_the_server_itself_is_not_free() -> None:
    assert chosen_name("Physics-Lab", "chatroom").folded == "physics-lab"
    for text in ("Physics-Lab", "physicslab", "PHY51CS.LAB"):
        with pytest.raises(BadName):
            chosen_name(text, "Physics Lab")


def test_an_operator_may_still_give_such_a_name_to_an_account() -> None:
    for word in ("moderator", *BEGINNINGS):
        assert user_name(word).shown == word
