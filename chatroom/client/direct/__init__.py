"""Links from client to client, past the server."""
