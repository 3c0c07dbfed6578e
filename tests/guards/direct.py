"""The guards of direct links."""

from __future__ import annotations

from guards.guard import guards

CANDIDATES = guards(
    "client/direct/candidates",
    [
        ("an address with a zone", 'ip_address(ip) if "%" not in ip else None', 'ip_address(ip.partition("%")[0])'),
        (
            "a name",
            '    except ValueError:\n        return ""\n    return str(address)',
            '    except ZeroDivisionError:\n        return ""\n    return str(address)',
        ),
        ("an IPv4 address in an IPv6 address", "if any(address in network for network in _NEVER):", "if False:"),
        ("this machine, for a client of a distant server", "        return loopback\n", "        return True\n"),
        ("a group of machines", "address.is_multicast or ", ""),
        ("a reserved address", "address.is_reserved or ", ""),
        ("an address of one link, as that of a cloud's metadata", " or address.is_link_local)", ")"),
        ("a port of a service", "if LOWEST_PORT <= candidate.port", "if candidate.port"),
        ("a port that there is not", "candidate.port <= HIGHEST_PORT and", "candidate.port and"),
        ("an address that is dialled many times", "list(dict.fromkeys(allowed))", "list(allowed)"),
        ("any number of addresses to dial", "fromkeys(allowed))[:MOST_CANDIDATES]", "fromkeys(allowed))"),
        (
            "this machine behind another spelling",
            "return (mapped or address).is_loopback",
            "return address.is_loopback",
        ),
        ("own addresses that nobody can dial", "usable(source(towards), loopback=loopback)", "source(towards)"),
        (
            "own addresses of this machine, for a distant server",
            "    loopback = is_loopback(server)\n",
            "    loopback = True\n",
        ),
        ("any number of own addresses", "filter(None, found)))[:MOST_CANDIDATES]", "filter(None, found)))"),
    ],
)
OFFER = guards(
    "client/direct/offer",
    [
        ("a message of another type", "    if kind not in _KINDS:\n        return None\n", ""),
        ("a body of any form", "except (ValueError, TypeError, RecursionError):", "except ZeroDivisionError:"),
        ("an expired message", "now - SKEW <= message.exp", "message.exp"),
        ("a message that never ends", " <= now + lasts + SKEW:", ":"),
        (
            "any number of addresses",
            "tuple[Candidate, ...], Meta(max_length=MOST_CANDIDATES)]",
            "tuple[Candidate, ...], Meta()]",
        ),
        ("a pin of any form", 'PinText = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\\Z")]', "PinText = str"),
        ("an id of any form", 'LinkId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\\Z")]', "LinkId = str"),
        ("both asks standing", "return me < other", "return True"),
    ],
)
TLS = guards(
    "client/direct/pinned_tls",
    [
        ("a handshake without end", "if self._room < 0:", "if False:"),
        ("another certificate", "compare_digest(pin(certificate.to_cryptography()), self._theirs)", "True"),
        (
            "trust after an error",
            "            except Exception:  # whatever went wrong, nothing is trusted\n                trusted = False",
            "            except Exception:\n                trusted = True",
        ),
        (
            "an address with another certificate that is dialled again",
            "tls.distrusted = tls.distrusted or not trusted",
            "tls.distrusted = False",
        ),
        (
            "a side without a certificate, in the handshake",
            "SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT",
            "SSL.VERIFY_PEER",
        ),
        (
            "a side without a certificate, afterwards",
            "certificate is not None\n            and",
            "True\n            and",
        ),
        ("another certificate, afterwards", "and compare_digest(pin(certificate), self._theirs)", ""),
        ("another protocol", "and tls.negotiatedProtocol == ALPN", ""),
        ("an older TLS, afterwards", 'and connection.get_protocol_version_name() == "TLSv1.3"', ""),
        ("an older TLS, in the handshake", "    context.set_min_proto_version(SSL.TLS1_3_VERSION)\n", ""),
    ],
    "client/direct/test_pinned_tls",
    "client/direct/test_race",
)
RACE = guards(
    "client/direct/race",
    [
        ("a certificate that replaces the first", "        if self._tls is not None:\n            return\n", ""),
        ("addresses that must not be dialled", "dialable(candidates, loopback=self._loopback)", "candidates"),
        ("dialling without end", "        for dial in self._dials:\n            dial.stop()\n", ""),
        ("ports that stay open", "            port.stopListening()\n", "            pass\n"),
        (
            "connections that stay open after a failure",
            '                link.abort("the attempt has ended")\n',
            "                pass\n",
        ),
        ("a race without end", "        self.stop()\n        self._failed(", "        self._failed("),
        (
            "dialling beyond the bound",
            "return self.over or self._tls is None or len(self._links) >= MOST_LINKS",
            "return self.over or self._tls is None",
        ),
        ("a caller before the certificate is known", "self._tls is None or len(self._links)", "len(self._links)"),
        ("a ninth connection that was on its way", "if self._race.crowded:", "if False:"),
        ("a connection too many", "return self.over or len(self._links) > MOST_LINKS", "return self.over"),
        ("strangers who take all places", "if self.full or len(self._callers) >= MOST_CALLERS:", "if self.full:"),
        ("a second winner", "if self.over or self._winner is not None:", "if self.over:"),
        ("two links after the race", "        self.stop()\n        self._won(link)", "        self._won(link)"),
        (
            "a wrong address that is dialled again and again",
            "if not (self._tls is not None and self._tls.distrusted):",
            "if True:",
        ),
        ("dialling again after the end", "if not self._race.over:", "if True:"),
    ],
    "client/direct/test_race",
    "client/direct/test_direct_links",
)
LINK = guards(
    "client/direct/link",
    [
        (
            "a handshake that nobody judged",
            "if self.ended or not self._referee.accepts(self.transport):",
            "if self.ended:",
        ),
        (
            "words after an abort",
            "if self.ended or not self._referee.accepts(self.transport):",
            "if not self._referee.accepts(self.transport):",
        ),
        (
            "a side that is silent",
            '        self._timer = self._clock.callLater(HANDSHAKE_WITHIN, self.abort, "it did not answer in time")\n',
            "",
        ),
        ("data before the handshake", 'self.abort("it sent data before the handshake was finished")', "pass"),
        (
            "data after the end",
            "        if self.ended:\n            return\n        self._buffer += data",
            "        self._buffer += data",
        ),
        ("another word than ready", "if word != _READY:", "if False:"),
        ("a go of the side that must not say it", "elif not self._referee.offered:", "elif False:"),
        ("a second link that opens", "elif self._referee.claim(self):", "elif True:"),
        ("a go that the race does not grant", "if word == _GO and self._referee.claim(self):", "if word == _GO:"),
        ("another word than go", "if word == _GO and self._referee.claim(self):", "if self._referee.claim(self):"),
        ("words without end", "if len(self._buffer) >= MOST_BEFORE_GO:", "if False:"),
        ("frames that come while others are handled", "        if self._reading:\n            return\n", ""),
        ("frames while reading is paused", "while not self._paused and not self.ended", "while not self.ended"),
        ("a frame of another kind", "if kind not in LONGEST_FRAME or length", "if length"),
        ("a frame of any length", " or length > LONGEST_FRAME[kind]:", ":"),
        ("a long frame of ours", "if len(payload) > LONGEST_FRAME[kind]:", "if False:"),
        (
            "writing after the end",
            "        if not self.ended:\n            self.transport.write(HEAD",
            "        if True:\n            self.transport.write(HEAD",
        ),
        (
            "a side that says no goodbye",
            "            self._timer = self._clock.callLater(HANDSHAKE_WITHIN, self._abort)",
            "            self._timer = None",
        ),
        ("an abort of what is gone", "if self.transport is not None and self.transport.connected:", "if True:"),
    ],
    "client/direct/test_link",
    "client/direct/test_race",
)
CHANNEL = guards(
    "client/direct/channel",
    [
        ("memory without end of what came", "if len(self._seen) > MOST_REMEMBERED:", "if False:"),
        (
            "a message without a proper id, of ours",
            "if not key or len(key) > LONGEST_ID or len(payload)",
            "if len(payload)",
        ),
        ("a message of ours that fits no frame", " or len(payload) > LONGEST_FRAME[ENVELOPE]:", ":"),
        ("a chunk of ours that fits no frame", "if len(data) > LONGEST_FRAME[CHUNK]:", "if False:"),
        ("sending into a link that has ended", "if self._ended or self._link.ended:", "if False:"),
        ("a queue without end", "if len(self._queue) >= MOST_QUEUED or key", "if key"),
        ("one id twice under way", " or key in self._keys:", ":"),
        ("more chunks under way than the window", "return self._chunks_sent < CHUNK_WINDOW", "return True"),
        (
            "more messages under way than the window",
            "return len(self._sent) - self._chunks_sent < WINDOW",
            "return True",
        ),
        ("sending what the network does not take", "while self._queue and not self._full and", "while self._queue and"),
        ("answers that nobody reads", "if self._unread > MOST_UNREAD:", "if False:"),
        ("a message that cannot be read", "except (ValueError, RecursionError):", "except ZeroDivisionError:"),
        ("a message without a proper id", "if not 0 < len(carried.id) <= LONGEST_ID:", "if False:"),
        ("a duplicate", "if key in self._seen:", "if False:"),
        (
            "another text under a known id that is taken for a duplicate",
            "key = carried.id, sha256(payload).digest()",
            'key = carried.id, b""',
        ),
        (
            "a duplicate of what was not handled",
            "            self._seen.add(key)\n            self._answer(ACK",
            "            self._answer(ACK",
        ),
        (
            "an acknowledgement of what was not handled",
            "if handled and not self._link.ended:",
            "if not self._link.ended:",
        ),
        ("more than can be handled", "if self._handled[which] >= most:", "if False:"),
        (
            "an acknowledgement of what was never sent",
            "        if item is None:\n            return  # given back",
            "        if False:\n            return  # given back",
        ),
        ("more received than was sent", "if total > self.bytes_sent:", "if False:"),
        (
            "a report that cannot be read",
            "if len(payload) == _TOTAL.size else 1 << 63",
            "if len(payload) == _TOTAL.size else 0",
        ),
        ("reports without progress", "if total > self._confirmed:", "if True:"),
        ("time for what has arrived whole", "if item.end > self._confirmed:", "if True:"),
        ("a link that is dead", "if oldest is not None and now - oldest >= PATIENCE:", "if False:"),
        ("an idle link that is dead", "if oldest is None and now - self._heard >= IDLE:", "if False:"),
        (
            "a loss that is told twice",
            "        if self._ended:\n            return\n        self._ended = True",
            "        self._ended = True",
        ),
        (
            "something that is lost with the link",
            "                item.done.errback(UseRelay(why))",
            "                pass",
        ),
        ("a text in the log", "kind=type(failure.value).__name__", "kind=failure.value"),
    ],
)
LINKS = guards(
    "client/direct/direct_links",
    [
        ("asking oneself, or twice", "elif peer in self._attempts or peer == self._me:", "elif False:"),
        ("any number of own asks", "elif len(self._attempts) >= MOST_PEERS:", "elif False:"),
        (
            "an address before both have agreed",
            "if attempt is not None and attempt.state is LinkState.ASKED:",
            "if attempt is not None:",
        ),
        (
            "a refusal of what was not asked",
            "        if self.state(peer) is LinkState.ASKED:\n            self._give_up",
            "        if True:\n            self._give_up",
        ),
        (
            "another device, or an attempt that has ended",
            "elif attempt is None or attempt.id != message.id:",
            "elif attempt is None:",
        ),
        ("a second offer", "elif kind == OFFER and attempt.state is LinkState.ASKING:", "elif kind == OFFER:"),
        (
            "an answer that was not waited for",
            "elif kind == ANSWER and attempt.state is LinkState.CONNECTING and",
            "elif kind == ANSWER and",
        ),
        (
            "an invalid message of another attempt",
            "        if attempt is None or attempt.id != of:\n            return",
            "        if attempt is None:\n            return",
        ),
        ("an ask of oneself", "        if peer == self._me or (attempt", "        if (attempt"),
        ("asks of any number of devices", "(attempt is None and len(self._attempts) >= MOST_PEERS)", "False"),
        ("the same ask again", "if attempt is not None and attempt.id == ask.id:", "if False:"),
        ("both asks standing", "if not ours_stands(self._me, peer):", "if True:"),
        ("no ask standing", "if not ours_stands(self._me, peer):", "if False:"),
        ("an ask without end", "attempt.timer = self._reactor.callLater(ASK_WITHIN, self._give_up, peer, why)", "pass"),
        ("this machine, for a client of a distant server", "loopback=is_loopback(self._server())", "loopback=True"),
        ("memory without end", "if len(self._seen) > MOST_PEERS:", "if False:"),
        ("an end that is told twice", "        if self._attempts.get(peer) is not attempt:\n            return\n", ""),
        ("a race that goes on", "            attempt.race.stop()", "            pass"),
        ("a channel that stays open", "            attempt.channel.close(why)", "            pass"),
    ],
)

GUARDS = [*CANDIDATES, *OFFER, *TLS, *RACE, *LINK, *CHANNEL, *LINKS]
