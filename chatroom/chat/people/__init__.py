"""People: their names, accounts and logins, what waits for them, and who has a place."""
