"""End-to-end encryption, as far as the server takes part: it keeps signed keys and sealed messages, and hands them out.

Nothing here can read a message or make a signature, and nothing here is trusted by a client.
"""
