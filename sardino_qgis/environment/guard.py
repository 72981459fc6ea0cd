"""Run a program that ends when whoever started it is gone, also by a kill: its standard input ends then.

    python guard.py PROGRAM [ARGUMENT …]

pip and uv don't notice that, and would go on installing. Started by path in any Python from 3.9 on, so it imports the
standard library only, and nothing of the plugin.
"""

from __future__ import annotations

import os
import signal
import subprocess  # nosec B404
import sys
import threading


def main() -> int:
    """Run the program of the command line, and return its exit code."""
    try:
        # No shell; the plugin gives the program.
        child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # nosec B603
    except OSError as error:
        print(error, flush=True)
        return 127
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


def _watch(child: subprocess.Popen) -> None:
    """Wait for the end of standard input; then end the program, on POSIX with all that it started."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass  # as good as its end
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    child.kill()
    os._exit(1)


if __name__ == "__main__":
    # Without the usual clean-up: the thread holds standard input.
    STATUS = main()
    sys.stdout.flush()
    os._exit(STATUS)
