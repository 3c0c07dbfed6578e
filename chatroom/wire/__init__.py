"""The network side: the port, detection of what a client speaks, TLS, telnet, lines, dialects, and what is sent."""
