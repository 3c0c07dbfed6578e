"""The one error that the command line shows to whoever called it."""


class Cannot(Exception):
    """What was asked for cannot be done; the text is one sentence that says why and what to do."""
