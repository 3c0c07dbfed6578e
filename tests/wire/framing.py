"""What tests of lines share."""

from __future__ import annotations

from harness import Client

TOO_LONG = "Error: line too long (limit 4096 bytes)."


def said(client: Client) -> list[str]:
    """Return what the client heard, without who said it."""
    return [line.partition(": ")[2] for line in client.lines()]
