"""End-to-end encryption in the client: what is sealed on the way out, and opened on the way in."""
