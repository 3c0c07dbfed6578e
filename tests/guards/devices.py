"""The guards of a user's own devices, in ``client/encryption``."""

from __future__ import annotations

from guards.guard import guards

TESTS = (
    "client/encryption/test_own_devices",
    "client/encryption/test_linking_again",
    "client/encryption/test_recovery",
    "client/encryption/test_vault_copies",
    "client/encryption/test_standing",
    "client/encryption/test_list_changes",
)
OWN_DEVICES = guards(
    "client/encryption/own_devices",
    [
        (
            "a generation that leaves before the vault has it",
            "        self._ring.announce()\n        await self._ring.store.commit()\n",
            "        self._ring.announce()\n",
        ),
        ("keys that run out", "        if answer.count < FEW:\n", "        if False:\n"),
        (
            "our list, forged",
            "        except CryptoRefusal as refused:\n            self._warn(sentence",
            "        except ZeroDivisionError as refused:\n            self._warn(sentence",
        ),
        (
            "another user key in our list",
            "        if own.list is not None and learned is Learned.CHANGED:\n",
            "        if False:\n",
        ),
        ("another user key in our list, untold", "        if is_new:\n", "        if False:\n"),
        ("another user key in our list, told again and again", "        if is_new:\n", "        if True:\n"),
        (
            "a device that was removed and seems to be linked",
            "        self.linked = False\n        self.code = identity.expect",
            "        self.code = identity.expect",
        ),
        (
            "a device that was removed and seems to be a copy",
            "            self._ring.store.delete(TABLE, identity.device)\n",
            "",
        ),
        (
            "a copy of the vault that has put its keys in place of ours",
            "if known and self._ring.store.get(TABLE, identity.device) is not None:",
            "if False:",
        ),
        (
            "a user key in the place of the one that there is",
            "if listed is None and not identity.user_key:",
            "if not identity.user_key:",
        ),
        (
            "a list of another user key that we sign over",
            "if identity.user_key and (listed is None or listed.user_key == identity.user_key):",
            "if identity.user_key:",
        ),
        ("devices that wait, untold", "            self.waiting.tell()\n", "            pass\n"),
        (
            "a device that was linked elsewhere, untold",
            "            self._warn(words.device_linked(shown_label(device.label), device.device))\n",
            "                pass\n",
        ),
        (
            "linking without a compared code",
            "device = self._ring.identity.compare([*self.waiting.devices, *others], code)",
            "device = [*self.waiting.devices, *others][0]",
        ),
        (
            "a removed device that knows the user key",
            "ListChange(True, gives, words.removed_later(label), words.not_removed(label), (name,))",
            "ListChange(False, gives, words.removed_later(label), words.not_removed(label), (name,))",
        ),
        ("removing this device, or none", "if found is None or name == here:", "if found is None:"),
        (
            "two changes of the list at once",
            "        async with self._turn:\n            await self._refresh()\n            own = self._listed()",
            "        if True:\n            await self._refresh()\n            own = self._listed()",
        ),
    ],
    *TESTS,
    "client/encryption/test_hostile_private",
    "client/encryption/test_crashes",
)
PUBLICATION = guards(
    "client/encryption/own_publication",
    [
        ("a copied vault", "if self._ring.is_copied(answer.generation):", "if False:"),
        (
            "an old vault that the server refuses",
            '            if refused.code == "stale-vault":\n',
            "            if False:\n",
        ),
        (
            "one-time keys that leave before the vault has them",
            "identity.fallback_key(self._port.now())\n        await self._ring.store.commit()\n",
            "identity.fallback_key(self._port.now())\n",
        ),
    ],
    *TESTS,
    "client/encryption/test_crashes",
)
LIST = guards(
    "client/encryption/own_list",
    [
        (
            "a number that was used",
            "rev = max(base.rev if base is not None else 0, known.rev if known is not None else 0) + 1",
            "rev = (base.rev if base is not None else 0) + 1",
        ),
        (
            "a list that leaves before the vault has it",
            "        self._ring.store.put(TABLE, KEY, encode(unsent))\n        await self._ring.store.commit()\n",
            "        self._ring.store.put(TABLE, KEY, encode(unsent))\n",
        ),
        (
            "a refused list that is kept",
            "                await self._drop()\n                raise\n",
            "                raise\n",
        ),
        ("a change that ends untold", "                self._tell(unsent.change.done)\n", "                pass\n"),
    ],
    *TESTS,
    "client/encryption/test_crashes",
)
ERRANDS = guards(
    "client/encryption/own_errands",
    [
        (
            "a user key that could not be sent",
            "            except Rejected:\n                continue\n",
            "            except Rejected:\n                done = True\n",
        ),
        ("a new backup that is erased", 'if sealed and value in (b"", hash_of(sealed).encode()):', "if sealed:"),
        (
            "a backup of the user key that a removed device knows",
            '                await self._server.keep_backup("")\n'[4:],
            "            pass\n",
        ),
    ],
    *TESTS,
)
OFFERS = guards(
    "client/encryption/user_key_offers",
    [
        ("a user key of a strange device", "if had_key and not self.is_signed(device):", "if False:"),
        (
            "a user key that was not expected",
            "        except (CryptoRefusal, ValueError):\n            self._warn",
            "        except ZeroDivisionError:\n            self._warn",
        ),
    ],
    *TESTS,
)
WAITING = guards(
    "client/encryption/waiting_devices",
    [
        ("a flood of notices", "if new and self._port.now() >= self._quiet_until:", "if new:"),
        ("a device that is told twice", "            self._note(new)\n", ""),
        ("a refused device that is shown", "if not self.is_refused(keys.device)]", "]"),
    ],
    *TESTS,
)
LABELS = guards(
    "client/encryption/device_labels",
    [
        ("a name that cannot be seen", "    if is_blank(label):\n", "    if False:\n"),
        ("a long name", "    if len(label) > LONGEST:\n", "    if False:\n"),
        ("a name that turns the line round", "if not label.isprintable() or clean(label) != label:", "if False:"),
        ("a strange name that turns the line round", "if character.isprintable())", ")"),
    ],
    *TESTS,
)
RECOVERY = guards(
    "client/encryption/recovery",
    [
        (
            "a recovery key that is not the right one",
            "            self._ring.identity.restore_user_key(sealed, key)\n",
            "            pass\n",
        ),
        ("no recovery key", "        if not sealed:\n", "        if False:\n"),
        ("a guest with a recovery key", "        if self._port.guest:\n", "        if False:\n"),
        (
            "a backup that is gone, untold",
            "if before and before != hash_of(sealed) and self._devices.linked:",
            "if False:",
        ),
        ("a recovery key on a linked device", "        if self._devices.linked:\n", "        if False:\n"),
    ],
    *TESTS,
)
COPIES = guards(
    "client/crypto/peer_sessions",
    [("a session in which a copy has sealed", ">= self._doubt), None)", ">= 0), None)")],
    *TESTS,
)
GUARDS = [*OWN_DEVICES, *PUBLICATION, *LIST, *ERRANDS, *OFFERS, *WAITING, *LABELS, *RECOVERY, *COPIES]
