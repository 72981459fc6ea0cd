"""Count things in messages."""


def counted(number: int, word: str) -> str:
    """Return a number with a word in the singular or plural: "1 sample", "2 samples"."""
    return f"{number} {word}{'s' * (number != 1)}"
