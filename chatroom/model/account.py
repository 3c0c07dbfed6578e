"""The record of an account, and where engines keep it."""

from __future__ import annotations

import msgspec

# Buckets of an engine. A look is a form of a name that is equal for names that look alike (``names.user_looks``).
BUCKET = "account"  # the accounts; the key is the folded name
LOOKS = "look"  # key: a look, value: the folded name of its account; nobody else may register a name with that look
LOOK_RULES = "look-rules"  # has the key ALL_MADE once every account has a record in LOOKS for each of its looks
ALL_MADE = "digits-as-letters"


class Preferences(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The settings of a user. ``ignored`` has the folded name, the shown name and the id of each ignored user."""

    echo: bool = True
    timestamps: bool = False
    away: str = ""
    ignored: tuple[tuple[str, str, str], ...] = ()
    reactions: bool = True


class Token(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A token, with which a program logs in without the password.

    ``id`` is the hash of the token's secret. ``client`` is the name of the program. ``made`` and ``used`` are the times
    when the token was made and last used, in milliseconds since 1970. ``device`` is the id of the device whose keys a
    session that logged in by the token has published last; empty for none.
    """

    id: str
    client: str
    made: int
    used: int
    device: str = ""


class AccountRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An account.

    Args:
        id: Identifies the account; never used again, not even for a later account of the same name.
        name: The name as it is shown.
        made: When the account was made, in milliseconds since 1970.
        password: The Argon2id hash of the password; empty if another checker decides (``--auth``).
        operator: Whether the owner is an operator, who may do everything everywhere.
        reserved: Whether an operator made the account, so that one of the ``--max-users`` places is kept free for it.
        preferences: The owner's settings.
        tokens: The tokens of the account, the oldest first.
        was: The ids of the guests and deleted accounts that the owner had before. Bans and mutes of these ids
            hold for this account as well.
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
