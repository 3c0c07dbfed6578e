"""The engines: each stores logs of events, records and shared files, and knows the users who are online (presence).

Each engine passes the conformance suite in ``tests/engines``.
"""
