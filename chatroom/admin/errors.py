"""The error that all commands of chatroom-admin raise.

It has a file of its own because the command line imports the commands, and both need the error.
"""


class CommandFailed(Exception):
    """The command failed. The text of the error is one sentence that says why and what to do."""
