"""Write an interpreter that environments can be built on, as far as the plan, and that then does what a test wants."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

# Questions about it and trial environments are left to a real interpreter.
PROGRAM = f"""#!{sys.executable}
import json, os, pathlib, shutil, subprocess, sys, time
if "-c" in sys.argv:
    said = subprocess.run([{sys.executable!r}, *sys.argv[1:]], capture_output=True, text=True).stdout
    facts = json.loads(said)
    facts.update(path=os.path.abspath(__file__), **{{changes!r}})
    print(json.dumps(facts))
elif "--without-pip" in sys.argv:
    sys.exit(subprocess.call([{sys.executable!r}, *sys.argv[1:]]))
else:
"""


def write_fake_python(path: Path, body: str, **changes: object) -> Path:
    """Write the interpreter.

    Args:
        path: The file.
        body: What it does when it is to create an environment, or is run in one.
        changes: What it says of itself instead of the truth, such as `version` or `machine`.
    """
    program = PROGRAM.format(changes=changes)
    path.write_text(program + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n")
    path.chmod(0o755)
    return path
