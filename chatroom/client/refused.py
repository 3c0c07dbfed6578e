"""What a command fails with."""


class Refused(Exception):
    """A command was answered by an error, or cannot be given now (``offline``, ``lost``).

    Args:
        code: For a program.
        text: For a person.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
