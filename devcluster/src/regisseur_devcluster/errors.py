"""What can go wrong, in words that a person can act on.

DevclusterError             one line that says what is wrong and what to do
  CommandError              a program that we ran failed; carries what it said
"""


class DevclusterError(Exception):
    """Something a person has to know; the command line prints it without a traceback."""


class CommandError(DevclusterError):
    """A program failed.

    Attributes:
        output: What it wrote, both streams together.
    """

    def __init__(self, message: str, *, output: str = "") -> None:
        super().__init__(message)
        self.output = output
