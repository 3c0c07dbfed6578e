"""The network side: the port, detection of what a client speaks, TLS, telnet, lines, the dialects, and the outbox."""
