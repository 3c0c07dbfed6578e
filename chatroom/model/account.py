"""The record of an account, and where engines keep it."""

from __future__ import annotations

import msgspec

BUCKET = "account"  # records by folded name
LOOKS = "look"  # folded names by look: nobody may register a name that looks like the name of another account
LOOK_RULES = "look-rules"  # has the key ALL_MADE once every account has a record for each of its looks
ALL_MADE = "digits-as-letters"


class Preferences(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The settings of a user. ``ignored`` has the folded name, the shown name and the id of each ignored user."""

    echo: bool = True
    timestamps: bool = False
    away: str = ""
    ignored: tuple[tuple[str, str, str], ...] = ()


class Token(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A token, with which a program logs in without the password.

    ``id`` is the hash of its secret. Times are in milliseconds since 1970.
    """

    id: str
    client: str
    made: int
    used: int


class AccountRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An account.

    Args:
        id: Identifies the account; never used again, not even for a later account of the same name.
        name: The name as it is shown.
        made: When the account was made, in milliseconds since 1970.
        password: The Argon2id hash of the password; empty if another checker decides (``--auth``).
        operator: Whether the owner is an operator, who may do everything everywhere.
        reserved: Whether an operator made the account, so that a seat is kept for it.
        preferences: The owner's settings.
        tokens: The tokens of the account, the oldest first.
        was: The ids of the guests and deleted accounts that the owner was before. Bans and mutes against these hold
            against this account as well.
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
