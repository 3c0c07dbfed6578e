"""The guards of sealed files: on their way to the server's store, and over direct links."""

from __future__ import annotations

from guards.guard import guards

SEALED = guards(
    "client/files/sealed_file",
    [
        (
            "a file that changed, with a text that may be shown",
            "        except CryptoRefusal:\n            raise changed(self._path) from None",
            "        except ZeroDivisionError:\n            raise changed(self._path) from None",
        ),
        (
            "a hash of other pieces than are sent",
            "self._sha256 = sha256 or sealer.sealed_sha256",
            "self._sha256 = sealer.sealed_sha256",
        ),
        (
            "pieces that the receiver has already",
            "self._seal(descriptor, self.first + index)",
            "self._seal(descriptor, index)",
        ),
        ("a file that the server does not take", "        check_size(path, size, sealed_size(size), most)\n", ""),
        (
            "reading a file that nobody wants any more",
            "            check_wanted(path, wanted)\n            sealer",
            "            sealer",
        ),
        (
            "reading the rest of a file that nobody wants any more",
            "                check_wanted(self._path, wanted)\n",
            "",
        ),
        (
            "a key that was used for another content",
            "sealer = FileSealer(size, random)",
            "sealer = FileSealer(size, lambda number: bytes(number))",
        ),
    ],
    "client/files/test_sealed_file",
    "client/files/test_sealed",
    "client/files/test_direct_files",
)
PART = guards(
    "client/files/sealed_part",
    [
        ("a rest without its beginning", "if self._part.have < offer.first:", "if False:"),
        (
            "a piece that was not sealed by the sender",
            "        except CryptoRefusal as refused:\n            why",
            "        except ZeroDivisionError as refused:\n            why",
        ),
        ("sealed bytes on the disk", "self._part.write(plain)", "self._part.write(data)"),
        ("a part of another file", "about = replace(offer, file=offer.head.file)", "about = offer"),
    ],
    "client/files/test_sealed",
    "client/files/test_direct_files",
    "client/files/test_direct_transfer",
)
TRANSFER = guards(
    "client/files/direct_transfer",
    [
        ("a frame that is too short", "    if len(raw) < _HEAD.size:\n        return None\n", ""),
        ("a frame of another kind", "if kind in _KINDS else None", "if True else None"),
        ("a piece beyond the end", "and frame.index <= self._pieces:", ":"),
        (
            "anything that is sent unasked",
            "return self._next is not None and self._next < self._pieces",
            "self._next = self._next or 0\n        return self._next < self._pieces",
        ),
        ("more than the window under way", " and self._waiting < WINDOW", ""),
        (
            "a piece from before the receiver asked again",
            "        if (index, asked) != (self._next, self._asked):\n            return\n",
            "",
        ),
        (
            "an acknowledgement from before the receiver asked again",
            "        if asked == self._asked:\n",
            "        if True:\n",
        ),
        (
            "what a receiver that stopped has not written",
            "self._next, self.arrived, self._waiting = None, 0, 0",
            "self._next, self._waiting = None, 0",
        ),
        (
            "a path that was given up before",
            "        if path is self._path:\n            self.lost()",
            "        self.lost()",
        ),
        ("pieces without end that nobody writes", " and len(self._pieces) <= WINDOW:", ":"),
        ("a piece that was left out", "if frame.index > self._part.have:", "if False:"),
        ("a piece that comes twice", "if frame.index == self._part.have:", "if True:"),
        (
            "an acknowledgement of what was not written",
            "        if frame.index == self._part.have:\n",
            "        handled.called or handled.callback(None)\n        handled = Deferred()\n"
            "        if frame.index == self._part.have:\n",
        ),
        (
            "a sender who stops and is waited for",
            "        if frame.kind == FrameKind.STOP:\n            self._end(",
            "        if False:\n            self._end(",
        ),
        ("an end for another reason than the first", "self._why = self._why or why", "self._why = why"),
        ("a file of which nobody checked the hash", "await self._work(self._part.finish)", "self._part._part._target"),
    ],
)
OVER_LINKS = guards(
    "client/files/direct_files",
    [
        (
            "a file that goes unsealed over a link",
            'if peer is None or not await self._transfers.sealing.seals("", user):',
            "if peer is None:",
        ),
        ("any number of files to send", "if len(self._sending) >= MOST:", "if False:"),
        (
            "a file that changes all the time",
            'if refused.code != "file-changed" or anew == ANEW:',
            'if refused.code != "file-changed":',
        ),
        (
            "a link that has gone before the offer",
            "        if not self._links.is_open(peer):\n            return 0\n",
            "",
        ),
        (
            "an offer that could not be sent",
            ", _stop, errbackArgs=(sender,))",
            ", lambda *failed: None, errbackArgs=(sender,))",
        ),
        ("the offers of another user", "if one.peer[0] == peer[0])", "if True)"),
        ("an offer of a file that was replaced", "            replaced.end()\n", ""),
        (
            "waiting over a lost link",
            "                known.go_on(offer)\n                self._leave_link(known)",
            "                known.go_on(offer)",
        ),
        (
            "waiting for a file that was replaced",
            "            replaced.end()\n            self._leave_link(replaced)",
            "            replaced.end()",
        ),
        (
            "waiting for a file that was replaced before",
            "        if one.replaced is not None:\n            raise one.replaced\n        waits",
            "        waits",
        ),
        (
            "asking for a file that was replaced",
            "        if one.replaced is not None:\n            raise one.replaced\n        if one.relayed",
            "        if one.relayed",
        ),
        ("a user who pushes out the offers of others", "theirs[:-MOST_OF_ONE] or", "[] or"),
        ("any number of offers", "or list(self._offers)[:-MOST]", ""),
        (
            "a file that was never offered",
            "        if one is None:\n            raise",
            "        if False:\n            raise",
        ),
        (
            "a link that is closed",
            "            if not self._links.is_open(one.peer):\n                why",
            "            if False:\n                why",
        ),
        ("one file fetched twice at once", "if key in self._receiving:", "if False:"),
        (
            "bytes of another device",
            "receiver = self._receiving.get((peer, frame.file))",
            "receiver = next((half for (_, file), half in self._receiving.items() if file == frame.file), None)",
        ),
        (
            "questions of another device",
            "sender = self._sending.get((peer, frame.file))",
            "sender = next((half for (_, file), half in self._sending.items() if file == frame.file), None)",
        ),
        (
            "what is no frame",
            "        if frame is None:\n            return None\n        sender",
            "        assert frame is not None\n        sender",
        ),
        (
            "the loss of another link",
            "            if of == peer:\n                half.lost()",
            "            half.lost()",
        ),
    ],
)

GUARDS = [*SEALED, *PART, *TRANSFER, *OVER_LINKS]
