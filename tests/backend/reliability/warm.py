"""Start `forks`, run the real command line in it, and return the outcomes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Attributes:
        code: Exit status; negative if a signal ended the run.
        out: Standard output.
        err: Standard error, libraries included.
        seconds: Duration.
        late: Whether the run was killed by `forks`.
        grown: Peak memory in bytes, beyond that at the start.
    """

    code: int
    out: str
    err: str
    seconds: float
    late: bool
    grown: int = 0

    def __str__(self) -> str:
        return f"status {self.code} after {self.seconds:.2f} s{' (killed)' if self.late else ''}\n{self.out}{self.err}"

    @property
    def refusal(self) -> str:
        """The line of a refusal; fails if the outcome is none."""
        assert self.code == 1 and not self.late, self
        lines = self.err.splitlines()
        assert self.out == "" and len(lines) == 1, self
        assert lines[0].startswith("error: ") and " hint: " in lines[0], self
        # `unforeseen` gives one line too, but for a fault of the program.
        assert "Traceback" not in lines[0] and "fault of the program" not in lines[0], self
        return lines[0]


# A thread of a library would not live on in what is forked, and each library has a variable of its own.
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


class Warm:
    """A process that has imported PyTorch and forks for each run."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.backend.reliability.forks"],
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def together(self, *runs: dict[str, Any]) -> list[Outcome]:
        """Start runs at the same time, and return their outcomes."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(list(runs)) + "\n")
        self._process.stdin.flush()
        return [Outcome(**result) for result in json.loads(self._process.stdout.readline())]

    def __call__(self, *arguments: object, **options: Any) -> Outcome:
        """Run `python -m backend ARGUMENTS`; for options see `forks.attend` and `forks.start`."""
        return self.together(asked(*arguments, **options))[0]

    def close(self) -> None:
        """End the process."""
        # Said, as the pipe's end would not come while another process that was started from here holds it too.
        self._process.communicate("null\n", timeout=30)


def asked(*arguments: object, **options: Any) -> dict[str, Any]:
    """Return a run for `Warm.together`."""
    return {"arguments": [str(argument) for argument in arguments], **options}
