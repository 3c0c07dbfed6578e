"""The engines, which keep logs, records, files and presence. Each passes the conformance suite in ``tests/engines``."""
