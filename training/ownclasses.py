"""Forward to `python -m backend train`, which replaces this module; it is removed in the next version."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from backend.__main__ import main as backend_main
from backend.core.events import show
from backend.core.supervise import leave


def main(arguments: Sequence[str] | None = None) -> int:
    """Warn that the module has moved, run `backend train`, and return its exit code."""
    show("training.ownclasses is deprecated; use `python -m backend train`.", sys.stderr)
    return backend_main(["train", *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    leave(main())
