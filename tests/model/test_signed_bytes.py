"""Keys have one spelling, and values one text that is signed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from chatroom.model.signed_bytes import b64, canonical, to_sign, unb64


@given(st.binary(max_size=70))
def test_base64_comes_back(raw: bytes) -> None:
    assert unb64(b64(raw)) == raw
    assert "=" not in b64(raw)


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q Q", "QUI\n", "QU-_", "é", "QUJD="])
def test_no_other_spelling_of_base64_is_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unb64(text)


def test_canonical_json_has_sorted_keys_and_no_blanks() -> None:
    value = {"b": [1, {"z": None, "y": True}], "a": 'é\n"'}
    assert canonical(value) == '{"a":"é\\n\\"","b":[1,{"y":true,"z":null}]}'.encode()


@pytest.mark.parametrize("value", [1.0, {"a": [1.5]}, {"é": 1}, {1: 2}, {"a": b"x"}, {"a": "\ud800"}, {"a": {3}}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


class Signed(Struct, kw_only=True):
    a: int
    inside: tuple[dict[str, str], ...] = ()
    sig: str = ""


def test_a_signature_covers_domain_and_all_fields_but_itself() -> None:
    record = Signed(a=1, inside=({"sig": "kept"},), sig="not covered")
    assert to_sign("device", record) == b'chatroom/device/1\0{"a":1,"inside":[{"sig":"kept"}]}'
    assert to_sign("other", record) != to_sign("device", record)
    assert to_sign("x", {"sig": 1}) == b'chatroom/x/1\0{"sig":1}'
