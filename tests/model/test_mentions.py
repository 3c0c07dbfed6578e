"""What mentions somebody: a whole name, and nothing that only contains it."""

from __future__ import annotations

import pytest

from chatroom.model.mentions import mentions


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("ann", "ann", ["ann"]),
        ("hi ann, hi ANN!", "ann", ["ann", "ANN"]),
        ("ann.", "ann", ["ann"]),
        ("ann... you there?", "ann", ["ann"]),
        ("thanks @ann", "ann", ["ann"]),
        ('ann\'s turn (ann) [ann] <ann> "ann" `ann` *ann* _ann_ --ann--', "ann", ["ann"] * 9),
        ("ann: and ann;ann/ann", "ann", ["ann"] * 4),
        ("\xabann\xbb \u201cann\u201d ann\u2026 ann\u2014yes \uff08ann\uff09", "ann", ["ann"] * 5),
        ("ann-3 and mary-ann", "ann", []),
        ("ann.lee lee.ann ann_x x_ann annika joann ann3", "ann", []),
        ("ann\u0301", "ann", []),
        ("ann-3", "ann-3", ["ann-3"]),
        ("ask ann-3.", "ann-3", ["ann-3"]),
        ("ann-", "ann-", ["ann-"]),
        ("ann-.", "ann-", ["ann-"]),
        ("ann", "ann-", []),
        ("Zoe\u0308 and ZO\xcb and zo\xeb.", "Zo\xeb", ["Zoe\u0308", "ZO\xcb", "zo\xeb"]),
        ("zoe", "Zo\xeb", []),
        ("\uff21\uff2e\uff2e", "ann", ["\uff21\uff2e\uff2e"]),
        ("", "ann", []),
        ("ann", "", []),
        ("...", "", []),
        ("guest-k3f9: hello", "guest-k3f9", ["guest-k3f9"]),
        ("x" * 4096, "ann", []),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_mentions(text: str, name: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in mentions(text, name)] == found


def test_a_long_text_without_spaces_is_not_folded_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []
    monkeypatch.setattr("chatroom.model.mentions.fold", lambda text: folded.append(text) or text)
    mentions("a" + "-" * 4000, "ann")
    mentions("\xe9." * 2000, "ann")
    assert len(folded) < 200
