"""The keys that clients publish, and the mailboxes of their devices: the server's part of end-to-end encryption."""
