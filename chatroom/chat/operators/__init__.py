"""What operators can do to the whole server, and the audit log of who did what."""
