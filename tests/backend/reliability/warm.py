"""The test's end of `forks`: runs of the real command line, and what became of them."""

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
    """What became of a run.

    Attributes:
        code: Exit status; below 0 where a signal ended it.
        out: What it wrote to standard output.
        err: And to standard error, libraries included.
        seconds: How long it took.
        late: Whether it had to be killed, because its time was up or because that was asked for.
        grown: Bytes of memory that it had at most, beyond those that it began with.
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
        """The one line of a refusal; fails where it isn't one."""
        assert self.code == 1 and not self.late, self
        lines = self.err.splitlines()
        assert self.out == "" and len(lines) == 1, self
        assert lines[0].startswith("error: ") and " hint: " in lines[0], self
        # What `unforeseen` says is one line too, but a fault and no refusal.
        assert "Traceback" not in lines[0] and "fault of the program" not in lines[0], self
        return lines[0]


class Warm:
    """A process that has imported PyTorch and forks for each run."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.backend.reliability.forks"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def together(self, *runs: dict[str, Any]) -> list[Outcome]:
        """Runs that begin at the same time."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(list(runs)) + "\n")
        self._process.stdin.flush()
        return [Outcome(**result) for result in json.loads(self._process.stdout.readline())]

    def __call__(self, *arguments: object, **options: Any) -> Outcome:
        """One run of `python -m backend ARGUMENTS`; options as in `forks.attend` and `forks.start`."""
        return self.together(asked(*arguments, **options))[0]

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def asked(*arguments: object, **options: Any) -> dict[str, Any]:
    """A run to be handed to `Warm.together`."""
    return {"arguments": [str(argument) for argument in arguments], **options}
