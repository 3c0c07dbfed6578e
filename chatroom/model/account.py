"""What lasts of an account: its record, and where engines keep it."""

from __future__ import annotations

import msgspec

BUCKET = "account"  # records by folded name
LOOKS = "look"  # folded names by look: nobody may register a name that readers would take for another's
LOOK_RULES = "look-rules"  # says by ALL_MADE that all accounts have all records that their looks need
ALL_MADE = "digits-as-letters"


class Preferences(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One's own settings. ``ignored`` has the folded name, the shown name and the user's id of each."""

    echo: bool = True
    timestamps: bool = False
    away: str = ""
    ignored: tuple[tuple[str, str, str], ...] = ()


class Token(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What lets a program log in again without the password. ``id`` is its secret's hash; times are ms since 1970."""

    id: str
    client: str
    made: int
    used: int


class AccountRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An account.

    Args:
        id: Never used again, not even when the account is deleted and its name registered by somebody else.
        name: As shown.
        made: Milliseconds since 1970.
        password: Its hash by Argon2id; empty when another checker decides (``--auth``).
        operator: May do everything everywhere.
        reserved: Made by the operator; a seat is kept for it.
        preferences: Its owner's settings.
        tokens: Of programs that may log in again, the oldest first.
        was: Ids of the guests and deleted accounts that its owner was before: what is held against them is held
            against it.
    """

    id: str
    name: str
    made: int
    password: str = ""
    operator: bool = False
    reserved: bool = False
    preferences: Preferences = Preferences()
    tokens: tuple[Token, ...] = ()
    was: tuple[str, ...] = ()


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AccountRecord).decode
encode_look = encode
decode_look = msgspec.json.Decoder(str).decode
