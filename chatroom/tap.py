"""What twistd asks of a plugin: the options, and the service made of them.

Heavy imports stand in ``makeService``, so that they are loaded only when a service is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.daemon.options import ChatOptions as Options

if TYPE_CHECKING:
    from twisted.application.service import IService

__all__ = ["Options", "makeService"]


def makeService(options: Options) -> IService:
    """Return the daemon's service, after opening its port and its data folder.

    Args:
        options: The options from the command line. With ``--check-config`` they are only checked.

    Raises:
        SystemExit: The options were only checked, or the daemon cannot start with them.
    """
    if options["check-config"]:
        from chatroom.daemon.start_check import report

        raise SystemExit(report(options))
    from chatroom.daemon.twistd_start import BadStart, check_twistd, choose_reactor

    choose_reactor()  # before anything imports twisted.internet.reactor, which would install Twisted's default
    from chatroom.daemon.assembly import make
    from chatroom.daemon.options import refuse
    from chatroom.daemon.privileges import NewUser

    try:
        check_twistd(options.parent)
    except BadStart as error:
        refuse(str(error))
    becoming = NewUser.of(options.parent)
    return make(options.settings, options.reread, options.checkers, becoming, options.pid_file, options.log)
