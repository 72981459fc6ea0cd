"""Forward to `python -m backend train`, which replaces this name; it goes with the next version."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.__main__ import main as backend_main
from backend.core.supervise import leave


def main(arguments: Sequence[str] | None = None) -> int:
    """Say that the name is old, and run `backend train`; returns its exit code."""
    print("training.ownclasses is now `python -m backend train`.", file=sys.stderr)
    return backend_main(["train", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    leave(main())
