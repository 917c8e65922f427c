"""What the commands can end with besides success, and how a person is told."""

from __future__ import annotations

from typing import Final

import click

OK: Final = 0
FAILED: Final = 1
"""The run failed, or the command did."""
USAGE: Final = 2
TIMED_OUT: Final = 124
INTERRUPTED: Final = 130


class Failure(click.ClickException):
    """The command can't do what was asked; the message is one line that says why, and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.code = exit_code


def in_one_line(error: Exception) -> str:
    """An exception's message without line breaks."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}" if error.filename else error.strerror
    return " ".join(str(error).split()) or type(error).__name__
