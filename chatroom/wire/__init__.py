"""Bytes: the port's front door, lines, telnet, the dialects and the way out to a socket."""
