"""Make an environment without PyTorch: the packages of this one, of which three can't be imported."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

# A line of a .pth file is run as the interpreter starts.
BLOCK = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
"""


def light_python(folder: Path) -> Path:
    """Return the interpreter of an environment in a folder in which PyTorch, timm and torchvision are missing."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--system-site-packages", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    (packages / "no_pytorch.py").write_text(BLOCK)
    (packages / "light.pth").write_text(f"{sysconfig.get_paths()['purelib']}\nimport no_pytorch\n")
    return python
