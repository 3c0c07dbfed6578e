"""The vault: an encrypted file of the client's keys, sessions, contacts and local history.

``vault.py`` is what other code uses. It is the only part that knows the reactor; the file is written on a thread.
"""
