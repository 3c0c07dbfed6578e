"""The guards of the vault."""

from __future__ import annotations

from guards.guard import guards

VAULT_TESTS = ("client/vault/test_vault_file", "client/vault/test_vault_key", "client/vault/test_vault")
VAULT = (
    guards(
        "client/vault/vault_file",
        [
            ("a row that was put back or removed", 'if f"{self._sum:x}" != head.sum:', "if False:"),
            (
                "a copied or restored vault",
                "self.generation = head.generation + 1",
                "self.generation = head.generation",
            ),
            ("a vault of a newer client", "if version > FORMAT:", "if False:"),
            ("a file that is another database", "if application != APPLICATION and (", "if False and ("),
            ("a commit that is undone by a crash", '"PRAGMA synchronous=FULL"', '"PRAGMA synchronous=OFF"'),
            ("old keys in free pages", '"PRAGMA secure_delete=ON"', '"PRAGMA secure_delete=OFF"'),
        ],
        *VAULT_TESTS,
    )
    + guards(
        "client/vault/sealing",
        [
            (
                "a value that was moved, or is of another vault",
                'self._cipher = ChaCha20Poly1305(_derived(data_key, b"values"))',
                'bare = ChaCha20Poly1305(_derived(data_key, b"values"))\n'
                "        seal = staticmethod(lambda nonce, value, place: bare.encrypt(nonce, value, None))\n"
                "        unseal = staticmethod(lambda nonce, value, place: bare.decrypt(nonce, value, None))\n"
                '        self._cipher = type("Bare", (), {"encrypt": seal, "decrypt": unseal})()',
            ),
            (
                "names that can be read",
                'return hmac.digest(self._names, lengths(*map(text, parts)), "sha256")[:NAME]',
                "return lengths(*map(text, parts))",
            ),
        ],
        *VAULT_TESTS,
    )
    + guards(
        "client/vault/vault_key",
        [
            ("a header that was changed", "if hashlib.sha256(body).digest()[:CHECK] != stored[:CHECK]:", "if False:"),
            (
                "a header that asks for endless work",
                "if not all(cost in fitting for cost, fitting in costs):",
                "if False:",
            ),
            ("an empty passphrase", "    if not words:", "    if False:"),
            (
                "a key of another vault",
                '    return lengths(b"chatroom vault wrap 1", header.id, ',
                '    return lengths(b"chatroom vault wrap 1", ',
            ),
        ],
        *VAULT_TESTS,
    )
    + guards(
        "client/vault/vault_lock",
        [
            ("two vaults on one file in a process", "if _identity(os.stat(self.path)) in _OPEN:", "if False:"),
            ("two processes on one file", "fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),
            ("a file with a second name", "if found.st_nlink > 1:", "if False:"),
        ],
        *VAULT_TESTS,
    )
)

GUARDS = [*VAULT]
