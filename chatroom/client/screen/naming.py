"""Asking a newcomer for a name, and for the password if the name is an account's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.screen.parser import Misuse, check_password
from chatroom.client.screen.password_guard import forgotten_slash
from chatroom.client.screen.presenter import Presenter
from chatroom.client.screen.questions import Cancelled, Questions
from chatroom.client.status import Denied
from chatroom.model import replies as a


class Naming:
    """Asks for a name.

    Args:
        client: The connection to the server.
        hearing: Shows errors and messages.
        questions: Asks the user.
        ask_quietly: Gives the server a command whose answer is not shown; its Deferred fires with the answer, or with
            None if the command is refused. Given the command, the kind of the answer, and the command's fields.
        typed: Carries out a typed line, if the user answers with a command.
    """

    def __init__(
        self,
        client: Client,
        hearing: Presenter,
        questions: Questions,
        ask_quietly: Callable[..., Deferred[Any]],
        typed: Callable[[str], None],
    ) -> None:
        self._client = client
        self._hearing = hearing
        self._questions = questions
        self._ask_quietly = ask_quietly
        self._typed = typed
        self._naming = False

    async def take_a_name(self, denied: Denied | None = None) -> None:
        """Ask for a name until one is accepted, or the user types a command or nothing. If the user is being asked for
        a name already, do nothing.

        Args:
            denied: The refusal of our name or login; if it concerns an account, ask for the account's password first.
        """
        if self._naming:
            return
        self._naming = True
        try:
            done = denied is not None and await self._denied_settled(denied)
            while not done:
                done = await self._name_taken(await self._questions.ask("Your name (Enter: stay a guest): "))
        except Cancelled:
            self._hearing.say(f"you stay {self._client.name}; /name <name> takes another.")
        finally:
            self._naming = False

    # ---- details ---------------------------------------------------------------------------------------------------

    async def _is_account(self, name: str) -> bool:
        """Ask the server whether an account has the name."""
        person = await self._ask_quietly("whois", a.Person, user=name)
        return person is not None and person.account

    async def _denied_settled(self, denied: Denied) -> bool:
        """Ask for the password of the account that a refusal concerns; return whether there is nothing more to ask."""
        if denied.what == "login":
            return await self._password_given(denied.wanted, "")
        return denied.code == "name-in-use" and await self._name_in_use(denied.wanted, denied.text)

    async def _name_in_use(self, name: str, text: str) -> bool:
        """Ask for the password if an account has the name, or else show why the name is refused.

        Returns:
            Whether there is nothing more to ask.
        """
        if await self._is_account(name):
            return await self._password_given(name, f"{name} is a registered name. ")
        self._hearing.complain(text)
        return False

    async def _password_given(self, name: str, why: str) -> bool:
        """Ask for an account's password until it is right; return False if the user wants another name instead."""
        try:
            while not await self._logged_in(name, why):
                pass
        except Cancelled:
            return False
        return True

    async def _logged_in(self, name: str, why: str) -> bool:
        """Ask for the account's password and log in; return whether there is nothing more to ask.

        Raises:
            Cancelled: The user wants another name.
        """
        words = f"{why}Password for {name} (Enter: choose another name): "
        password = await self._questions.ask(words, secret=True)
        try:
            check_password(password)
            await self._client.do("login", user=name, password=password)
        except Misuse as misuse:
            self._hearing.complain(str(misuse))
            return False
        except Rejected as refused:
            self._hearing.refused(refused.code, refused.text)
            return refused.code != "wrong-password"
        return True

    async def _name_taken(self, answer: str) -> bool:
        """Take the answered name, or carry out an answered command. Returns whether there is nothing more to ask."""
        name = answer.strip()
        if name.startswith("/"):
            self._typed(name)
            return True
        slip = forgotten_slash(name) if any(mark in name for mark in " ,:=") else None
        if slip is not None:
            self._hearing.complain(f"that is no name; {slip} is the command, and asks for what you leave out.")
            return False
        try:
            await self._client.do("name", name=name)
        except Rejected as refused:
            if refused.code == "name-in-use":
                return await self._name_in_use(name, refused.text)
            self._hearing.complain(refused.text)
            return False
        return True
