"""SIGHUP: the options are read again, and what can change while people are connected does. Nobody is dropped.

What is wrong is said in the log and changes nothing. What was decided at the start for good needs a restart, and that
is said, too. The certificate for TLS is read again as well, whatever becomes of the options.
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

# What can change while the daemon runs; anything else needs a restart.
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
    "sessions",
    "min_password",
    "no_announce",
    "no_register",
    "log_level",
}

MakeRules = Callable[[DaemonSettings], Rules]


def rules_of(settings: DaemonSettings, most_users: int) -> Rules:
    """Return what the chat needs to know of the options.

    Args:
        settings: The options.
        most_users: How many users there is room for.

    Raises:
        UsageError: The file with the words of greeting cannot be read.
    """
    return Rules(
        name=settings.name,
        motd="\n".join(map(clean, motd(settings).splitlines())),
        replay=settings.replay,
        keep=settings.keep,
        keep_days=settings.keep_days,
        rate=settings.rate,
        most_users=most_users,
        sessions=settings.sessions,
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
    """See the module.

    Args:
        settings: What holds.
        reread: Returns what would hold by now; raises UsageError.
        make_rules: Makes rules of settings; raises UsageError.
        factory: Has the rules and the bounds of connections.
        text: How people speak.
        renew: Reads the certificate again.
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
        """Read the certificate and the options again, and obey them."""
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
        """Change what can change; of the rest we keep what really holds."""
        set_level(wanted.log_level)
        self._factory.rules.become(rules)
        self._factory.bound(per_address=wanted.per_address, send_queue=wanted.sendq)
        self._text.use_form(wanted.message_format)
        self._settings = msgspec.structs.replace(self._settings, **{key: getattr(wanted, key) for key in LIVE})


def _named(fields: set[str]) -> str:
    return ", ".join(sorted(field.replace("_", "-") for field in fields))
