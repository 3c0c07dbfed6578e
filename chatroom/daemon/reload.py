"""Reads the options again at SIGHUP, and applies those that can change while people are connected.

No connection is closed. If an option is wrong, the log says so and no option changes. The log also names
changed options that need a restart. The certificate for TLS is read again even if an option is wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from twisted.python import usage

from chatroom.chat.limits import Rules
from chatroom.daemon.options import DaemonSettings, motd
from chatroom.model.logger import logger, set_level
from chatroom.model.text import clean
from chatroom.wire.dialects.text import TextDialect
from chatroom.wire.factory import ChatFactory

_log = logger(__name__)

# The options that can change while the daemon runs; all others need a restart.
LIVE = {
    "name",
    "motd",
    "message_format",
    "replay",
    "rate",
    "per_address",
    "sendq",
    "max_users",
    "keep",
    "keep_days",
    "max_file",
    "store",
    "disk",
    "require_tls",
    "rooms",
    "sessions",
    "devices",
    "min_password",
    "no_announce",
    "no_register",
    "log_level",
}

MakeRules = Callable[[DaemonSettings], Rules]


def rules_of(settings: DaemonSettings, most_users: int) -> Rules:
    """Return the chat's rules that follow from the options.

    Args:
        settings: The options.
        most_users: The most users that may be online.

    Raises:
        UsageError: The file of ``--motd`` can't be read, or is too long.
    """
    return Rules(
        name=settings.name,
        motd="\n".join(map(clean, motd(settings).splitlines())),
        replay=settings.replay,
        keep=settings.keep,
        keep_days=settings.keep_days,
        rate=settings.rate,
        most_users=most_users,
        rooms=settings.rooms,
        sessions=settings.sessions,
        devices=settings.devices,
        announce=not settings.no_announce,
        register=not settings.no_register,
        max_file=settings.max_file,
        store=settings.store,
        disk=settings.disk,
        throttle=bool(settings.per_address),
        min_password=settings.min_password,
        require_tls=settings.require_tls,
    )


class Reload:
    """Reads the options again, and applies those that can change now.

    Args:
        settings: The options that the daemon was started with.
        reread: Returns the options as they are now, or raises UsageError.
        make_rules: Returns the chat's rules that follow from some options, or raises UsageError.
        factory: Holds the rules and the limits of connections.
        text: Formats lines for people; it holds the form of ``--message-format``.
        renew: Reads the certificate for TLS again.
    """

    def __init__(
        self,
        settings: DaemonSettings,
        reread: Callable[[], DaemonSettings],
        make_rules: MakeRules,
        factory: ChatFactory,
        text: TextDialect,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._reread = reread
        self._make_rules = make_rules
        self._factory = factory
        self._text = text
        self._renew = renew

    def reload(self) -> None:
        """Read the certificate and the options again, and apply what can change now; the log names the changes."""
        self._renew()
        try:
            wanted = self._reread()
            self._check(wanted)
            rules = self._make_rules(wanted)
        except usage.UsageError as error:
            _log.warn("nothing is changed, for the options cannot be read again: {why}", why=str(error))
            return
        changed = {
            key for key in DaemonSettings.__struct_fields__ if getattr(wanted, key) != getattr(self._settings, key)
        }
        if rules.motd != self._factory.rules.motd:
            changed.add("motd")
        self._obey(wanted, rules)
        _log.info("options read again; changed: {keys}", keys=_named(changed & LIVE) or "nothing")
        if changed - LIVE:
            _log.warn("changed, but only a restart makes it so: {keys}", keys=_named(changed - LIVE))

    def _check(self, wanted: DaemonSettings) -> None:
        reserved = self._factory.chat.seats.reserved
        if wanted.max_users and wanted.max_users < reserved:
            raise usage.UsageError(f"max-users = {wanted.max_users}: {reserved} accounts have a seat reserved")

    def _obey(self, wanted: DaemonSettings, rules: Rules) -> None:
        """Apply the options that can change now, and keep the old values of all others."""
        set_level(wanted.log_level)
        self._factory.rules.become(rules)
        self._factory.bound(per_address=wanted.per_address, send_queue=wanted.sendq)
        self._text.use_form(wanted.message_format)
        self._settings = msgspec.structs.replace(self._settings, **{key: getattr(wanted, key) for key in LIVE})


def _named(fields: set[str]) -> str:
    return ", ".join(sorted(field.replace("_", "-") for field in fields))
