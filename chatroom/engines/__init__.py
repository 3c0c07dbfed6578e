"""Where logs, records and presence last. Every engine passes the one conformance suite in ``tests/engines``."""
