"""The user's settings: the TOML file ``client.toml`` in the XDG config folder, read once at the start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import msgspec

from chatroom.model.toml_hints import hint

FILE = "client.toml"
MOST_BYTES = 1 << 20
_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_FIELD = re.compile(r" - at `\$\.(\w+)`$")


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings.

    Args:
        server: The server, unless the command line names one: ``chat.example`` or ``chat.example:8888``.
        name: The name to take.
        room: The room to join, or a list of rooms.
        colours: Whether to use colours; ``NO_COLOR`` in the environment turns them off in any case.
        bell: What rings the bell: nothing, private messages and mentions, or every message.
        timestamps: Whether each line begins with its time.
        downloads: The folder for fetched files; empty for the folder in which the client was started.
        links: Whether links are written so that the terminal can follow them; ``auto`` if it is known to.
        passphrase: Where the passphrase of the keys comes from, as ``ask``; empty if a key file unlocks them.
        notify: How the terminal is told to notify the user while it has no focus; ``auto`` as it is known to.
    """

    server: str = ""
    name: str = ""
    room: str | list[str] = ""
    colours: bool = True
    bell: Literal["off", "private", "all"] = "private"
    timestamps: bool = True
    downloads: str = ""
    links: Literal["auto", "on", "off"] = "auto"
    notify: Literal["auto", "osc9", "osc777", "off"] = "auto"
    passphrase: str = ""

    @property
    def rooms(self) -> list[str]:
        """The rooms to join, in this order."""
        rooms = [self.room] if isinstance(self.room, str) else self.room
        return [room for room in rooms if room]


class BadConfig(Exception):
    """The config file or the command line cannot be used; the text says where and why, in one sentence."""


def load(path: Path, *, required: bool = False) -> Config:
    """Return the settings that a config file holds.

    Args:
        path: The file.
        required: Whether the file must exist; if it need not, a missing file gives the default settings.

    Raises:
        BadConfig: The file cannot be read, or holds an error; the text names its line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)  # bounded, for the path may be a device without an end
        if len(data) > MOST_BYTES:
            raise BadConfig(f"{path} is too large to be a config file.")
        text = data.decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError) as error:
        if not required:
            return Config()
        raise BadConfig(f"{path} cannot be read: {error.strerror}.") from None
    except OSError as error:
        raise BadConfig(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path} cannot be read: byte {error.start} is no UTF-8.") from None
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Return the settings in the text of a config file. Raises ``BadConfig``, which names the path; see ``load``."""
    import tomllib  # here, to save 300 kB in a client without a config file

    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except tomllib.TOMLDecodeError as error:
        match = _LINE.search(str(error))
        line, why = (int(match[1]), _LINE.sub("", str(error))) if match else (text.count("\n") + 1, str(error))
        why = re.sub(r" \(at end of document\)$", " at the end of the file", why)
        raise BadConfig(f"{path}, line {line}: {why[:1].lower()}{why[1:]}{hint(text, str(error))}.") from None
    except msgspec.ValidationError as error:
        raise BadConfig(_wrong(text, path, str(error))) from None


def _wrong(text: str, path: Path, why: str) -> str:
    """Return a sentence about the setting that msgspec refuses for the reason `why`, with its line in the text."""
    unknown = re.search(r"unknown field `(.*)`", why)
    field = _FIELD.search(why)
    key = unknown[1] if unknown else field[1] if field else ""
    line = next((n for n, it in enumerate(text.splitlines(), 1) if re.match(rf"\s*[\"']?{re.escape(key)}\b", it)), 1)
    if unknown:
        return f"{path}, line {line}: there is no setting {key}; there are {', '.join(Config.__struct_fields__)}."
    kind = get_type_hints(Config).get(key)
    choices = get_args(kind) if get_origin(kind) is Literal else ()
    why = f"give {', '.join(choices[:-1])} or {choices[-1]}" if choices else _FIELD.sub("", why)
    return f"{path}, line {line}: {key}: {why[:1].lower()}{why[1:]}."
