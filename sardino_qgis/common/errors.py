"""Define the base of the errors that users read."""

from __future__ import annotations


class HintedError(Exception):
    """Signal an error with `message`, which says what happened, and `hint`, which says what to do."""

    BETWEEN = "\n"  # of message and hint

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}{self.BETWEEN}{hint}" if hint else message)
        self.message = message
        self.hint = hint
