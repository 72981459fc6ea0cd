"""Set up, look at or remove the backend's environment from a shell, with QGIS's Python or any other from 3.9 on."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from . import locate, store
from .diagnose import report
from .errors import InstallError
from .install import install
from .plan import SOURCE_VARIABLE, InstallRequest, make_plan
from .progress import InstallFeedback


class Console(InstallFeedback):
    """Writes the log to standard output, and what is being done beside it on a terminal."""

    def __init__(self) -> None:
        self._text = ""

    def log(self, line: str) -> None:
        print(line, flush=True)

    def progress(self, fraction: float, text: str) -> None:
        """Print it over the one before on a terminal; elsewhere each step once."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{fraction:4.0%} {text}", end="\n" if fraction >= 1 else "", file=sys.stderr, flush=True)
        elif text.split(",")[0] != self._text:
            self._text = text.split(",")[0]
            print(f"{fraction:4.0%} {text}", flush=True)


def _parse() -> argparse.Namespace:
    program = f"python -m {__package__}"
    parser = argparse.ArgumentParser(prog=program, description="The backend's environment of the QGIS plugin.")
    commands = parser.add_subparsers(dest="command", required=True)
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument(
        "--folder",
        type=Path,
        default=locate.managed_folder(),
        help="where the environment lies (%(default)s); for another one, name it in SARDINO_PYTHON to have it used",
    )
    install_ = commands.add_parser("install", parents=[folder], help="set it up, or replace it by a new one")
    install_.add_argument("--python", default="", metavar="PATH", help="interpreter to build on (found if not named)")
    install_.add_argument(
        "--wheels", default="", metavar="DIR", help="take all packages from this folder; no index is asked"
    )
    install_.add_argument(
        "--torch-index",
        default=os.environ.get(SOURCE_VARIABLE, ""),
        metavar="URL|DIR",
        help=f"index or folder with another build of PyTorch (CPU alone, CUDA for Windows); also {SOURCE_VARIABLE}",
    )
    commands.add_parser("diagnose", help="tell versions, device and paths")
    commands.add_parser("remove", parents=[folder], help="remove the environment")
    return parser.parse_args()


def _install(options: argparse.Namespace) -> int:
    request = InstallRequest(options.folder.absolute(), options.python, options.wheels, options.torch_index)
    plan = make_plan(request)
    print("\n".join(plan.lines()), flush=True)
    python = install(plan, Console())
    print(f"The backend is set up: {python}")
    if store.current_interpreter(locate.managed_folder()) != python:
        print(f"To have it used: set SARDINO_PYTHON to {options.folder}")
    elif locate.find_interpreter() != str(python):
        print(f"But another one is named and will be used: {locate.find_interpreter()}")
    return 0


def main() -> int:
    """Exit status: 0 done, 1 refused or failed, 130 cancelled (2, wrong usage, ends the process inside argparse)."""
    options = _parse()
    # What ends a service also tidies up.
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored where a script started this in the background
        signal.signal(number, signal.default_int_handler)
    try:
        if options.command == "install":
            return _install(options)
        if options.command == "remove":
            print("Removed." if store.remove(options.folder) else f"There is none in {options.folder}.")
        else:
            print(report())
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except store.BusyError as busy:
        print(f"error: an installation is running (process {busy.process or '?'}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Cancelled; nothing was changed.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
