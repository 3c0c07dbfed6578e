"""The one error of chatroom-admin. Every command raises it, so it stands alone and imports nothing."""


class CommandFailed(Exception):
    """What was asked for cannot be done; the text is one sentence that says why and what to do."""
