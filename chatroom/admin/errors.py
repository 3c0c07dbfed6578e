"""The error that all commands of chatroom-admin raise."""


class CommandFailed(Exception):
    """The command failed. The text of the error is one sentence that says why and what to do."""
