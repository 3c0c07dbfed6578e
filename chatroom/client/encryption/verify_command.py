"""``/verify``: comparing the keys of a person with what that person's own client shows."""

from __future__ import annotations

from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import Security, UserEncryption
from chatroom.client.encryption.words import accepting, compare_first, digits_changed
from chatroom.client.errors import Rejected
from chatroom.model.names import fold

MOST = 200  # people whose digits were shown


class VerifyCommand:
    """Carries out ``/verify``.

    Args:
        dialogue: Talks with the user.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._shown: dict[str, str] = {}  # the digits by folded name, as the user saw them

    async def run(self, encryption: UserEncryption, user: str, word: str) -> None:
        """Show the digits of a person, or act on them.

        Args:
            encryption: Knows the keys.
            user: The person.
            word: ``ok``: the digits that were shown are right; ``accept``: the person's changed key is; empty: show.

        Raises:
            Rejected: There are no digits, or they are others now than those that were shown.
        """
        if word == "ok":
            await self._confirm(encryption, user)
        elif word == "accept":
            await self._accept(encryption, user)
        else:
            await self._show(encryption, user)

    async def _show(self, encryption: UserEncryption, user: str) -> None:
        found = await encryption.verify(user)
        self._shown.pop(fold(user), None)
        self._shown[fold(user)] = found.digits
        while len(self._shown) > MOST:
            del self._shown[next(iter(self._shown))]
        security, verified = encryption.status(user), found.verified
        before = _before(user, found.me, security, verified=verified)
        self._dialogue.show(found, before, _after(user, found.me, security, verified=verified))

    async def _confirm(self, encryption: UserEncryption, user: str) -> None:
        """Mark a person as verified by the digits that the user has seen; show the digits if these are others now."""
        shown = self._shown.get(fold(user))
        if shown is None or (await encryption.verify(user)).digits != shown:
            await self._show(encryption, user)
            if shown is None:
                raise Rejected("not-shown", compare_first(user))
            raise Rejected("digits-changed", digits_changed(user))
        await encryption.confirm(user, shown)
        self._dialogue.say(f"{user} is verified. If {user}'s key changes, nothing is sent until you accept it.")

    async def _accept(self, encryption: UserEncryption, user: str) -> None:
        """Accept the changed key of a person, if the user says so; the person is not verified by that."""
        if encryption.status(user) is not Security.BLOCKED:
            raise Rejected("not-changed", f"{user}'s key has not changed; there is nothing to accept.")
        before = (await encryption.verify(user)).digits
        self._dialogue.say(accepting(user))
        if not await self._dialogue.agrees(f"Accept {user}'s new key?"):
            self._dialogue.say(f"nothing was changed; nothing is sent to {user}.")
            return
        if (await encryption.verify(user)).digits != before:
            raise Rejected("digits-changed", f"{user}'s key changed again meanwhile; nothing was accepted.")
        await encryption.accept(user, before)
        self._dialogue.say(f"{user}'s new key is accepted, but not verified: /verify {user} compares it.")


def _before(user: str, me: str, security: Security, *, verified: bool) -> list[str]:
    """Return what stands before the digits: how things are, and how to compare."""
    if security is Security.BLOCKED:
        first = f"{user}'s key has changed, and nothing is sent to {user}."
    else:
        first = f"{user} is verified." if verified else f"Is it really {user}?"
    how = (
        f"Compare these digits with {user}, in person or in a call, not in this chat; {user} sees them by /verify {me}:"
    )
    return [first, how]


def _after(user: str, me: str, security: Security, *, verified: bool) -> list[str]:
    """Return what stands after the digits: what to do."""
    lines = [] if verified else [f"The same? Type /verify {user} ok; {user} types /verify {me} ok."]
    if security is Security.BLOCKED:
        lines.append(f"/verify {user} accept writes to {user} again without comparing.")
    return [*lines, f"Others? Somebody may read along: write nothing secret to {user}."]
