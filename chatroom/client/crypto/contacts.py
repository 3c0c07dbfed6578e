"""What is remembered of users' keys, our own among them: the user key, the newest device list, and what was decided.

The first user key of a user is believed, and pinned. A changed one blocks sending until the user of this client accepts
it. Of device lists only a newer one replaces the one that is known, so that the server cannot bring back a device that
was removed. Names are pinned, too: a name that belongs to another user than before is told, and blocks as well if
messages to the former user were encrypted.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum

from msgspec import DecodeError, Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from chatroom.client.crypto.device_records import check_list
from chatroom.client.crypto.errors import CryptoRefusal, not_linked
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.safety_number import safety_number
from chatroom.model.device_keys import DeviceKeys, DeviceList
from chatroom.model.names import fold

CONTACTS = "contacts"
NAMES = "contact-names"
CACHED = 2000  # contacts in memory


class Contact(Struct, frozen=True, kw_only=True):
    """What is remembered of a user.

    Args:
        user_id: The id of the user.
        name: The name under which the user was seen last.
        known: The newest device list by the pinned user key; None if the user was never seen with keys.
        changed: The device list by another user key that waits to be accepted.
        former: The id of the user who had the name before, if that blocks sending until this user is accepted.
        verified: The digits that were compared; empty if none were.
        verified_with: Our own user key at that time. The digits count only as long as it is the same.
        encrypted_once: Whether a message to or from this user was encrypted.
        plain_accepted: Whether our user has agreed that messages go in plain text although they were encrypted before.
    """

    user_id: str
    name: str = ""
    known: DeviceList | None = None
    changed: DeviceList | None = None
    former: str = ""
    verified: str = ""
    verified_with: str = ""
    encrypted_once: bool = False
    plain_accepted: bool = False

    @property
    def blocked(self) -> bool:
        """Whether nothing is sent to this user before our user has accepted a change."""
        return self.changed is not None or bool(self.former)

    @property
    def matters(self) -> bool:
        """Whether there is anything to remember; of a user without keys there is not."""
        return self.known is not None or self.blocked or self.encrypted_once or self.plain_accepted


class Learned(Enum):
    """What a device list from the server brought: nothing, a first list, a newer one, or a change to tell the user."""

    SAME = "same"
    FIRST = "first"
    NEWER = "newer"
    NO_KEYS = "no-keys"  # and there never were any
    WITHHELD = "withheld"  # no keys, but there were some before
    CHANGED = "changed"  # another user key
    OTHER_PERSON = "other-person"  # the name now belongs to another user


class Contacts:
    """Remembers the keys of other users, and finds a user by id or by name.

    Args:
        rows: Where they are kept.
        identity: Our own keys. It must know which server and user it acts for.
    """

    def __init__(self, rows: Rows, identity: Identity) -> None:
        self._rows = rows
        self._identity = identity
        self._cache: OrderedDict[str, Contact] = OrderedDict()

    # ---- learning

    def learn(self, user_id: str, name: str, listed: DeviceList | None) -> Learned:
        """Take a device list that the server has told.

        Args:
            user_id: The id of the user who was asked for.
            name: The present name of the user.
            listed: The list; None if the server says that the user has no keys.

        Returns:
            What is new. ``CHANGED`` and ``OTHER_PERSON`` block sending until ``accept``; see ``why_blocked``.

        Raises:
            CryptoRefusal: The list is not genuine (``forged``), older than the known one (``rolled-back``), or another
                one of the same revision (``forked``). What is known stays.
        """
        contact = self.get(user_id)
        if listed is None:
            learned = Learned.NO_KEYS if contact.known is None else Learned.WITHHELD
        elif listed == contact.known and contact.changed is None:
            learned = Learned.SAME
        else:
            check_list(listed, self._identity.server, user_id)
            contact, learned = self._compare(contact, listed)
        return self._pin_name(contact, name, learned)

    def _compare(self, contact: Contact, listed: DeviceList) -> tuple[Contact, Learned]:
        """Return a contact with a genuine list, and what it brought."""
        known = contact.known
        if contact.user_id == self._identity.user_id:
            self._identity.confirm_user_key(listed.user_key)
        if self._is_swapped_self(contact.user_id, listed.user_key):
            return replace(contact, changed=listed), Learned.CHANGED
        if known is None:
            return replace(contact, known=listed, plain_accepted=False), Learned.FIRST
        if listed == known:  # the pinned key is back, and with it the very list that we know
            return replace(contact, changed=None), Learned.SAME
        self._check_revision(contact, listed)
        if listed.user_key == known.user_key or contact.user_id == self._identity.user_id:
            # A new user key of our own is the one that this device has, or it is not linked and trusts no list.
            return replace(contact, known=listed, changed=None), Learned.NEWER
        return replace(contact, changed=listed), Learned.CHANGED

    def _check_revision(self, contact: Contact, listed: DeviceList) -> None:
        """Raise ``CryptoRefusal`` for a list that is older than a known one, or another one of the same revision."""
        known = contact.known
        for earlier in (known, contact.changed):
            if earlier is None or (earlier is not known and earlier.user_key != listed.user_key):
                continue
            if listed.rev < earlier.rev:
                raise CryptoRefusal("rolled-back", f"the server gave an older list of {self._whose(contact)} devices")
            if listed.rev == earlier.rev and listed.user_key == earlier.user_key and listed != earlier:
                raise CryptoRefusal("forked", f"there are two different lists of {self._whose(contact)} devices")

    def _is_swapped_self(self, user_id: str, user_key: str) -> bool:
        """Return whether a list of our own devices is signed by a user key that is not ours."""
        own = self._identity.user_key
        return user_id == self._identity.user_id and bool(own) and user_key != own

    def _pin_name(self, contact: Contact, name: str, learned: Learned) -> Learned:
        """Remember a contact under a name, and note if the name belonged to somebody else."""
        former_id = self.id_of(name)
        ours = self._identity.user_id in (
            contact.user_id,
            former_id,
        )  # we know that we have another name, or are others
        if former_id not in ("", contact.user_id) and not ours:
            former = self.get(former_id)
            if former.matters and learned is not Learned.CHANGED:
                learned = Learned.OTHER_PERSON
            first = former.former or former_id  # the user with whom messages were encrypted
            if (former.encrypted_once or former.verified or former.former) and first != contact.user_id:
                contact = replace(contact, former=first)
        contact = replace(contact, name=name)
        self._keep(contact)
        if former_id != contact.user_id and contact.matters:
            self._rows.put(NAMES, fold(name), contact.user_id.encode())
        return learned

    # ---- what is known

    def get(self, user_id: str) -> Contact:
        """Return what is remembered of a user; an empty ``Contact`` if nothing is."""
        contact = self._cache.get(user_id)
        if contact is None:
            value = self._rows.get(CONTACTS, user_id)
            contact = Contact(user_id=user_id) if value is None else _read(value)
            self._cache[user_id] = contact
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return contact

    def id_of(self, name: str) -> str:
        """Return the id of the user who was seen last under a name; empty if there was none."""
        return (self._rows.get(NAMES, fold(name)) or b"").decode()

    def count(self) -> int:
        """Return how many other users are remembered."""
        return len({*self._rows.keys(CONTACTS)} - {self._identity.user_id})

    def is_verified(self, user_id: str) -> bool:
        """Return whether our user has compared the safety number with this user, and both keys are still the same."""
        contact = self.get(user_id)
        return bool(contact.verified) and not contact.blocked and contact.verified_with == self._identity.user_key

    def why_blocked(self, user_id: str) -> str:
        """Return why nothing is sent to a user, a sentence for our user; empty if the user is not blocked."""
        contact = self.get(user_id)
        name = contact.name or user_id
        if self._is_swapped(contact):
            return (
                "the server says that your own key has changed: another device of yours has changed it and perhaps "
                "removed this one, or somebody poses as you. So this device can neither read nor write encrypted "
                "messages; /devices says what to do"
            )
        if contact.changed is not None:
            return f"nothing is sent to {name}: {name}'s key has changed; compare the new one with /verify {name}"
        if contact.former:
            return (
                f"nothing is sent to {name}, who is not the person who had this name before; compare the key with "
                f"/verify {name}"
            )
        return ""

    def recipients(self, user_id: str) -> tuple[DeviceKeys, ...]:
        """Return the devices to which messages for a user are sealed; for our own id, our other devices.

        Raises:
            CryptoRefusal: The user is blocked, or no keys of the user are known; or our own device is not linked.
        """
        self._check_self()
        contact = self.get(user_id)
        if contact.blocked:
            raise CryptoRefusal("blocked", self.why_blocked(user_id))
        if contact.known is None:
            raise CryptoRefusal("no-keys", f"no keys of {contact.name or user_id} are known")
        ours = user_id == self._identity.user_id
        return self._without_this_one(contact.known) if ours else contact.known.devices

    @property
    def linked(self) -> bool:
        """Whether this device is in the device list of our user, signed by our user key."""
        known = self.get(self._identity.user_id).known
        if known is None or known.user_key != self._identity.user_key:
            return False
        return any(device.ed25519 == self._identity.ed25519 for device in known.devices)

    @property
    def believed(self) -> bool:
        """Whether others believe this device: it is linked, and the server names the user key that it has."""
        return self.linked and not self.get(self._identity.user_id).blocked

    def _without_this_one(self, listed: DeviceList) -> tuple[DeviceKeys, ...]:
        """Return the devices of a list except the one that this program runs on."""
        return tuple(device for device in listed.devices if device.ed25519 != self._identity.ed25519)

    def _check_self(self) -> None:
        """Raise ``CryptoRefusal`` if our own user key is not the one that the server tells, or we are not linked."""
        own = self._identity.user_id
        if self.get(own).blocked:
            raise CryptoRefusal("blocked", self.why_blocked(own))
        if not self.linked:
            raise not_linked()

    def sender(self, user_id: str, device: str) -> DeviceKeys:
        """Return the device from which a message came.

        While this device waits to be linked, our own devices are those of the list by the expected user key.
        ``OlmSessions`` believes nothing from them then but the user key.

        Raises:
            CryptoRefusal: The user is blocked, or the device is not in the user's list.
        """
        contact = self.get(user_id)
        listed = contact.known
        if contact.blocked:
            listed = contact.changed
            expected = self._identity.expected_user_key
            if user_id != self._identity.user_id or listed is None or listed.user_key != expected:
                raise CryptoRefusal("blocked", self.why_blocked(user_id))
        keys = listed.keys_of(device) if listed is not None else None
        if keys is None:
            raise CryptoRefusal("unknown-device", f"{contact.name or user_id} has not signed that device")
        return keys

    def may_send_plain(self, user_id: str) -> bool:
        """Return whether messages to a user may go in plain text: there never were keys, or our user has agreed."""
        contact = self.get(user_id)
        if contact.blocked:
            return False
        return contact.plain_accepted or (contact.known is None and not contact.encrypted_once)

    # ---- what our user decides

    def number(self, user_id: str) -> str:
        """Return the safety number of us and a user: of the new key, if a changed key waits to be accepted.

        Raises:
            CryptoRefusal: Our own user key or that user's is missing.
        """
        contact = self.get(user_id)
        listed = contact.changed or contact.known
        own = self._identity
        if listed is None:
            raise CryptoRefusal("no-keys", f"no keys of {contact.name or user_id} are known")
        if not own.user_key:
            raise not_linked()
        return safety_number(own.user_id, own.user_key, user_id, listed.user_key)

    def verify(self, user_id: str, digits: str) -> None:
        """Mark a user as verified, and accept the user's changed key if there is one.

        Args:
            user_id: The id of the user.
            digits: The safety number that was shown and compared.

        Raises:
            CryptoRefusal: The safety number is another one by now.
        """
        self._check_not_self(user_id)
        if digits != self.number(user_id):
            raise CryptoRefusal("changed-meanwhile", "the key has changed since these digits were shown; verify again")
        self._accept(user_id, verified=digits)

    def accept(self, user_id: str) -> None:
        """Accept the changed key of a user, who counts as not verified then.

        Raises:
            CryptoRefusal: It is our own key, which is not accepted but replaced or linked anew.
        """
        self._check_not_self(user_id)
        if self.get(user_id).blocked:
            self._accept(user_id, verified="")

    def accept_plain(self, user_id: str) -> None:
        """Let messages to a user go in plain text although they were encrypted before."""
        self._keep(replace(self.get(user_id), plain_accepted=True))

    def note_encrypted(self, user_id: str) -> None:
        """Remember that a message to or from a user was encrypted."""
        contact = self.get(user_id)
        if not contact.encrypted_once or contact.plain_accepted:
            self._keep(replace(contact, encrypted_once=True, plain_accepted=False))

    # ---- inside

    def _is_swapped(self, contact: Contact) -> bool:
        """Return whether a contact is ourselves with a user key that is not ours."""
        return contact.changed is not None and self._is_swapped_self(contact.user_id, contact.changed.user_key)

    def _check_not_self(self, user_id: str) -> None:
        """Raise ``CryptoRefusal`` for our own id."""
        if user_id == self._identity.user_id:
            raise CryptoRefusal("own-key", "that is you; link this device or use your recovery key")

    def _accept(self, user_id: str, verified: str) -> None:
        """Take a changed key, if there is one, and the person behind a name, if it is another one."""
        contact = self.get(user_id)
        self._keep(
            replace(
                contact,
                known=contact.changed or contact.known,
                changed=None,
                former="",
                verified=verified,
                verified_with=self._identity.user_key if verified else "",
            )
        )

    def _whose(self, contact: Contact) -> str:
        """Return ``bob's`` for error texts, or ``your``."""
        return "your" if contact.user_id == self._identity.user_id else f"{contact.name or contact.user_id}'s"

    def _keep(self, contact: Contact) -> None:
        """Remember a contact, if something about it is new."""
        if contact != self.get(contact.user_id):
            self._cache[contact.user_id] = contact
            if contact.matters:
                self._rows.put(CONTACTS, contact.user_id, encode(contact))


def shown_name(contacts: Contacts, user_id: str, name: str) -> str:
    """Return under which name a message is shown that the server says is from a user.

    Nobody is shown under a name that belongs to another user whose keys are known.
    """
    owner = contacts.id_of(name)
    if owner in ("", user_id) or contacts.get(owner).known is None:
        return name
    return contacts.get(user_id).name or user_id


def _read(value: bytes) -> Contact:
    """Return the contact of a row.

    Raises:
        CryptoRefusal: The row is not readable.
    """
    try:
        return decode(value, type=Contact)
    except DecodeError:
        raise CryptoRefusal("damaged", "what is remembered of a contact is not readable") from None
