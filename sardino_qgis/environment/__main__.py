"""Install, diagnose or remove the backend's environment from a shell, with any Python from 3.9 on."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from . import locate, store
from .diagnose import report
from .errors import InstallError
from .install import install, words_on_left
from .kinds import Kind, kind_of
from .plan import make_plan
from .progress import InstallFeedback
from .request import SOURCE_VARIABLE, InstallRequest


class Console(InstallFeedback):
    """Write the log to standard output, and progress to standard error on a terminal."""

    def __init__(self) -> None:
        self._text = ""

    def log(self, line: str) -> None:
        print(line, flush=True)

    def progress(self, fraction: float, text: str) -> None:
        """Overwrite the progress line on a terminal; elsewhere print each step once."""
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
        help="folder of the environment (%(default)s); to use another one, set SARDINO_PYTHON to it",
    )
    install_ = commands.add_parser(
        "install", parents=[folder], help="install the environment, or replace it by a new one"
    )
    install_.add_argument(
        "--kind",
        choices=[kind.value for kind in Kind],
        help="mapping: OpenVINO, about 130 MB; pytorch: for graphics cards and training as well, 0.2 to 3 GB "
        "(as installed in the folder now, or else mapping)",
    )
    install_.add_argument(
        "--python", default="", metavar="PATH", help="interpreter to build on (searched for by default)"
    )
    install_.add_argument(
        "--wheels", default="", metavar="DIR", help="install all packages from this folder, without any index"
    )
    install_.add_argument(
        "--torch-index",
        default="",
        metavar="URL|DIR",
        help=f"index or folder with another build of PyTorch (CPU only, CUDA for Windows); also {SOURCE_VARIABLE}",
    )
    commands.add_parser("diagnose", help="print versions, device and paths")
    commands.add_parser("remove", parents=[folder], help="remove the environment")
    return parser.parse_args()


def _install(options: argparse.Namespace) -> int:
    folder = options.folder.absolute()
    kind = Kind(options.kind) if options.kind else kind_of(store.current_interpreter(folder)) or Kind.MAPPING
    if options.torch_index and kind is Kind.MAPPING:
        raise InstallError("--torch-index is for the installation with PyTorch.", "Add --kind pytorch.")
    source = (options.torch_index or os.environ.get(SOURCE_VARIABLE, "")) if kind is Kind.PYTORCH else ""
    plan = make_plan(InstallRequest(folder, options.python, options.wheels, source, kind=kind))
    print(kind.purpose)
    print("\n".join(plan.lines()), flush=True)
    python = install(plan, Console())
    print(f"The backend is set up: {python}")
    if store.current_interpreter(locate.managed_folder()) != python:
        print(f"To use it, set SARDINO_PYTHON to {options.folder}")
    elif locate.find_interpreter() != str(python):
        print(f"But another interpreter is set and will be used: {locate.find_interpreter()}")
    return 0


def _ending_signals() -> list[int]:
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGBREAK")  # those that the system has
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    # `nohup` lets a command go on after its terminal is closed.
    kept = getattr(signal, "SIGHUP", None)
    return [n for n in numbers if n != kept or signal.getsignal(n) != signal.SIG_IGN]


def main() -> int:
    """Run the command; return 0 when done, 1 if refused or failed, 130 if cancelled. Wrong usage exits with 2."""
    options = _parse()
    # All of these clean up; SIGINT is ignored by default where a script started this in the background.
    for number in _ending_signals():
        signal.signal(number, signal.default_int_handler)
    try:
        if options.command == "install":
            return _install(options)
        if options.command == "remove":
            removed = store.remove(options.folder, lambda left: print(words_on_left(left)))
            print("Removed." if removed else f"There is no environment in {options.folder}.")
        else:
            print(report())
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except store.BusyError as busy:
        print(f"error: an installation is running (process {busy.process or '?'}).", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Cancelled; nothing was changed.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
