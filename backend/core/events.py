"""Report progress and results: as a bar on a terminal, as JSON lines for a program, or not at all."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TextIO

from backend.core.errors import Cancelled, ResourceError, SarDinoError

BAR_WIDTH = 28
# Least seconds between two redraws of the bar, or two progress events.
REDRAW_S = 0.1
# Seconds between two lines of progress where there is no terminal to draw a bar on.
LINE_S = 30.0


def printable(text: str) -> str:
    """Return text with line breaks, escape sequences and controls of direction, which files may have, escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def one_line(text: str) -> str:
    """Return text on one line, with what is not printable escaped, and single spaces."""
    return printable(" ".join(text.split()))


def show(text: str, stream: TextIO | None, end: str = "\n") -> OSError | None:
    """Write text to a stream of the process, which may be closed or full: a run goes on without it.

    Returns:
        The error of a stream that can't be written; None otherwise, also if the stream was never open.
    """
    if stream is None:
        return None
    try:
        stream.write(text + end)
        stream.flush()
    except OSError as error:
        return error
    except ValueError:  # closed
        return OSError("it is closed")
    return None


def print_lines(lines: Iterable[str]) -> None:
    """Print the answer of a command, cleaned, on standard output.

    Raises:
        ResourceError: It can't be written, but for a reader that has gone.
    """
    error = show("\n".join(map(printable, lines)), sys.stdout)
    if error is not None and not isinstance(error, BrokenPipeError):
        raise ResourceError(f"Standard output can't be written: {error.strerror or error}.", "Free the disk.")


class Reporter:
    """Print errors only; the base class of reporters."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._first, self._last = 0.0, -1.0
        self._shown = 0.0

    def start(self, **facts: Any) -> None:
        """Report the start of a run: version, command, model, device, input, outputs."""

    def progress(self, done: float, total: int, **figures: float) -> None:
        """Report progress and figures such as loss=0.5; may be called often, from one thread only.

        Args:
            done: Finished part of the total; with a fraction where parts of a large piece are known.
            total: The whole.
            figures: Figures to show with it.
        """
        now = time.monotonic()
        if self._began is None:
            # The rate is measured from the first report on: warming up would make the estimate too long.
            self._began, self._first = now, done
        if done == self._last or (done < total and now - self._shown < REDRAW_S):
            return
        self._shown, self._last = now, done
        made = done - self._first
        eta = (now - self._began) / made * (total - done) if made > 0 else (0.0 if done >= total else None)
        self._draw(done, total, eta, figures)

    def restart(self) -> None:
        """Begin a new bar, with a rate of its own, for another part of the work."""
        self._began, self._last, self._shown = None, -1, 0.0

    def log(self, level: str, message: str) -> None:
        """Report a message; level is "info" or "warning"."""

    def result(self, facts: dict[str, Any]) -> None:
        """Report the result of a run."""

    def error(self, error: SarDinoError) -> None:
        """Report an error, in one line."""
        hint = f" hint: {error.hint}" if error.hint else ""
        show(one_line(f"error: {error.message}{hint}"), sys.stderr)

    def _draw(self, done: float, total: int, eta_s: float | None, figures: Mapping[str, float]) -> None:
        pass


class QuietReporter(Reporter):
    """Print warnings and errors, without progress.

    Warnings wait until the work begins: a run that is refused before that prints its refusal alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[str] = []
        self._working = False  # stays true between two parts of the work, which `restart` separates

    def log(self, level: str, message: str) -> None:
        if level == "warning":
            self._waiting.append(message)
        if self._working:
            self._print()

    def result(self, facts: dict[str, Any]) -> None:
        self._print()

    def _draw(self, done: float, total: int, eta_s: float | None, figures: Mapping[str, float]) -> None:
        self._print()

    def _print(self) -> None:
        self._working = True
        for message in self._waiting:
            show(one_line(f"warning: {message}"), sys.stderr)
        self._waiting.clear()


class JsonReporter(Reporter):
    """Write one JSON object a line to a stream.

    If its reader has gone, the next event raises Cancelled; a stream that is full or closed is ignored.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def start(self, **facts: Any) -> None:
        self._send("start", facts)

    def log(self, level: str, message: str) -> None:
        self._send("log", {"level": level, "message": message})

    def result(self, facts: dict[str, Any]) -> None:
        self._write("result", facts)

    def error(self, error: SarDinoError) -> None:
        if self._write("error", {"message": error.message, "hint": error.hint}) is not None:
            super().error(error)

    def _draw(self, done: float, total: int, eta_s: float | None, figures: Mapping[str, float]) -> None:
        eta = None if eta_s is None else round(eta_s, 1)
        self._send("progress", {"done": done, "total": total, "eta_s": eta, **figures})

    def _send(self, event: str, facts: dict[str, Any]) -> None:
        if isinstance(self._write(event, facts), BrokenPipeError):
            raise Cancelled("Cancelled: nobody reads the events any more.")

    def _write(self, event: str, facts: dict[str, Any]) -> OSError | None:
        # One call of write, so that lines of two threads never mix.
        return show(json.dumps({"event": event, **facts}, ensure_ascii=True) + "\n", self._stream, end="")


class BarReporter(Reporter):
    """Show a bar with the time left on standard error; without a terminal, a line every LINE_S seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._printed = time.monotonic()

    def start(self, **facts: Any) -> None:
        model = f" with {facts['model']}" if facts["model"] else ""
        self._line(f"{facts['command']}{model} on {facts['device']}")

    def log(self, level: str, message: str) -> None:
        self._line(f"{level}: {message}" if level != "info" else message)

    def result(self, facts: dict[str, Any]) -> None:
        """Print the paths of the outputs to standard output."""
        self._line(f"done in {facts['seconds']:.1f} s")
        for path in facts["outputs"].values():
            error = show(printable(str(path)), sys.stdout)
            if error is not None:
                self._line(f"warning: standard output can't be written ({error.strerror or error}); {path} is complete")

    def error(self, error: SarDinoError) -> None:
        self._clear()
        super().error(error)

    def _draw(self, done: float, total: int, eta_s: float | None, figures: Mapping[str, float]) -> None:
        left = "" if eta_s is None else f" {timedelta(seconds=int(eta_s))} left"
        shown = "".join(f"  {name.replace('_per_', '/')} {value:.4g}" for name, value in figures.items())
        text = f"{done}/{total}{left}{shown}"
        if _terminal():
            full = int(BAR_WIDTH * done / max(total, 1))
            bar = "#" * full + "." * (BAR_WIDTH - full)
            show(f"\r[{bar}] {printable(text)}\x1b[K", sys.stderr, end="\n" if done == total else "")
        elif time.monotonic() - self._printed >= LINE_S:
            self._printed = time.monotonic()
            show(printable(text), sys.stderr)

    def _line(self, text: str) -> None:
        self._clear()
        show(one_line(text), sys.stderr)

    def _clear(self) -> None:
        if _terminal():
            show("\r\x1b[K", sys.stderr, end="")


def _terminal() -> bool:
    """Return whether standard error is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False
