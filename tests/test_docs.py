"""The pages for people are true: their links lead somewhere, the files they name exist, all options are explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatroom.client.encryption.commands import USAGES
from chatroom.client.encryption.interface import LinkPath, Security
from chatroom.daemon.options import ChatOptions
from chatroom.daemon.reload import LIVE

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
# Where a path in a page may begin.
STARTS = ("", "chatroom", "chatroom/chat")
NOT_OF_OURS = {"files/", "server/all", "server/guests"}  # in the data folder, and names of logs
LONGEST = 1000  # words, so that somebody new reads all of the architecture
MARKED = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*|[\w*-]+\.(?:py|md|svg))`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """Return what links may name in a page: its headings as GitHub spells them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_nowhere(page: Path, link: str) -> bool:
    """Return whether a link of a page names a file or a heading that is not there."""
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return not target.exists() or bool(anchor and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if leads_nowhere(page, link)] == []


def test_the_check_sees_a_broken_link() -> None:
    assert not leads_nowhere(ROOT / "README.md", "docs/operating.md#tls")
    assert leads_nowhere(ROOT / "README.md", "docs/operating.md#no-such-heading")
    assert leads_nowhere(ROOT / "README.md", "docs/no-such-page.md")


@pytest.mark.parametrize(
    "name", ["docs/architecture.md", "docs/decisions.md", "docs/performance.md", "CONTRIBUTING.md"]
)
def test_every_file_that_a_page_names_is_there(name: str) -> None:
    named = set(MARKED.findall((ROOT / name).read_text())) - NOT_OF_OURS
    assert {path for path in named if not any([*(ROOT / start).glob(path.rstrip("/"))] for start in STARTS)} == set()


def typed(page: str) -> set[str]:
    """Return the commands about encryption in a page, each as it is typed there."""
    return set(re.findall(r"/(?:verify|devices|keys|direct)\b(?: [^`\n|;.,]*)?", (ROOT / page).read_text()))


@pytest.mark.parametrize("page", ["docs/security.md", "README.md"])
def test_what_pages_say_about_encryption_can_be_typed(page: str) -> None:
    words = {"verify": "ok accept", "devices": "link remove rename accept", "direct": "yes no off"}
    words["keys"] = "recovery recover reset export import plain"
    for line in typed(page):
        command, *rest = line[1:].split()
        at = 1 if command in ("verify", "direct") else 0
        assert not rest[at:] or rest[at] in words[command].split(), line
        assert all(word in USAGES[command][0] for word in words[command].split())
    assert {line[1:].split()[0] for line in typed(page)} == set(words)


def test_the_security_page_has_every_word_of_the_bar() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    shown = {*Security, *LinkPath} - {Security.UNKNOWN, LinkPath.NONE}
    assert [word for word in shown if f"`{word}`" not in page] == []


def test_the_architecture_is_short() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text().split()) <= LONGEST


def options() -> set[str]:
    """Return the daemon's options, without those of ``--auth`` and help."""
    return {row[0] for row in (*ChatOptions.optParameters, *ChatOptions.optFlags)}


def test_readme_explains_every_option_and_no_other() -> None:
    rows = re.findall(r"^\| (`--.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`--([\w-]+)", " ".join(rows))) == options() | {"auth"}


def test_operating_names_every_option_that_changes_at_sighup() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    section = page.partition("## Options read again\n")[2].partition("\n## ")[0]
    named = {word for word in re.findall(r"`([\w-]+)`", section) if word in options()}
    assert named == {key.replace("_", "-") for key in LIVE}
