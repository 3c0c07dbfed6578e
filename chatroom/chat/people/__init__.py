"""People: their names, accounts and logins, the messages that wait for them, and how many of them may connect."""
