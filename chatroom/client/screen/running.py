"""Running the terminal application: its signals, its end, and the errors that nobody handles."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from prompt_toolkit.input import create_input
from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.screen.app import App, AppSettings
from chatroom.client.screen.fault_log import FaultLog, catch
from chatroom.client.screen.hyperlinks import linking_output
from chatroom.client.screen.job_control import survive_hangup
from chatroom.client.status import Notice
from chatroom.model import events as e

PATIENCE = 0.5  # seconds that ending may take before the user is told what it waits for


async def run(
    reactor: Any,
    client: Callable[[Callable[[e.Event | Notice], None]], Client],
    settings: AppSettings,
) -> None:
    """Run the terminal application until the user leaves or the reactor stops.

    Args:
        reactor: Twisted's reactor on asyncio; it must be the one that was installed.
        client: Given the function that takes events and notices, returns the client, which is started and stopped here.
        settings: What the user wants.
    """
    output = linking_output()
    output.enable_cpr = False  # do not ask the terminal where the cursor is
    survive_hangup(output, lambda: screen.terminal.leave())
    made = client(lambda event: screen.tell(event))
    screen = App(reactor, made, settings, create_input(), output)
    gone: Deferred[None] = Deferred()

    def shutdown() -> Deferred[None] | None:
        """Delay the reactor's end until everything is sent; return None if the user is leaving already."""
        if not screen.terminal.app.is_running:
            return None
        screen.terminal.leave()
        return gone

    loop = asyncio.get_event_loop()
    catch(FaultLog(settings.state / "faults.log", screen.hearing.complain), loop)
    reactor.addSystemEventTrigger("before", "shutdown", shutdown)
    terminal = screen.terminal
    handlers = {signal.SIGHUP: terminal.leave, signal.SIGTSTP: terminal.suspend, signal.SIGCONT: terminal.resume}
    for number, handler in handlers.items():  # Twisted handles the other signals
        loop.add_signal_handler(number, handler)
    made.start()
    try:
        await screen.run()
    finally:
        waiting = reactor.callLater(PATIENCE, screen.waits_for_the_end)
        try:
            await made.stop()
        finally:
            if waiting.active():
                waiting.cancel()
            gone.callback(None)
