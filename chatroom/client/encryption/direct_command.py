"""``/direct``: a link straight to another person's client, which reveals the addresses of both."""

from __future__ import annotations

from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import UserLinks
from chatroom.client.encryption.words import revealing
from chatroom.client.errors import Rejected
from chatroom.model.names import fold

MOST = 200  # people for whom addresses were named


class DirectCommand:
    """Carries out ``/direct``.

    Args:
        dialogue: Talks with the user.
    """

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._named: dict[str, list[str]] = {}  # the addresses that the user was told of, by folded name

    async def run(self, links: UserLinks, user: str, word: str) -> None:
        """Name the addresses that a link reveals, agree to one, refuse or end one.

        Args:
            links: Makes the links.
            user: The other person.
            word: ``yes``, ``no``, ``off`` or empty.

        Raises:
            Rejected: There are no addresses, or the user was not told of them.
        """
        if word == "yes":
            await self._agree(links, user)
        elif word == "no":
            await links.refuse(user)
            self._dialogue.say(f"no direct link with {user}; {user} learns no address of yours.")
        elif word == "off":
            await links.end(user)
            self._dialogue.say(f"messages to {user} are relayed by the server, encrypted as before.")
        else:
            await self._name(links, user)
            self._dialogue.say(f"/direct {user} yes asks {user} for a link, or agrees to one.")

    async def _name(self, links: UserLinks, user: str) -> list[str]:
        """Tell the user which addresses a link reveals. Returns them."""
        addresses = await links.addresses(user)
        if not addresses:
            raise Rejected("no-address", f"this computer has no address that {user} could reach; messages are relayed.")
        self._named.pop(fold(user), None)
        self._named[fold(user)] = addresses
        while len(self._named) > MOST:
            del self._named[next(iter(self._named))]
        self._dialogue.say(revealing(user, addresses))
        return addresses

    async def _agree(self, links: UserLinks, user: str) -> None:
        """Ask for a link, or agree to one, with the addresses that the user was told of."""
        named = self._named.get(fold(user))
        addresses = await links.addresses(user)
        if named is None or not set(addresses) <= set(named):
            addresses = await self._name(links, user)
            if not await self._agrees(user):
                self._dialogue.say(f"no direct link with {user}; {user} learns no address of yours.")
                return
        self._dialogue.say(f"a direct link with {user} is made when both of you agree; the bar says direct or relayed.")
        await links.agree(user, addresses)

    async def _agrees(self, user: str) -> bool:
        """Return whether the user agrees to show a person the addresses that were named just now.

        Raises:
            Rejected: Nobody can be asked, as in a pipe.
        """
        try:
            return await self._dialogue.agrees(f"Show {user} these addresses?")
        except Rejected:
            raise Rejected("not-named", "nothing was revealed yet; the same again reveals these addresses.") from None
