"""What operators do to the whole server, and the account of who did what."""
