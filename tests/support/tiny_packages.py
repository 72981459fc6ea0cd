"""Make tiny packages as real wheels, and a packed plugin whose lists name them."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

from tools import package

ROOT = Path(__file__).resolve().parents[2]
TORCH = """
import json
__version__ = "{version}"
class cuda:
    is_available = staticmethod(lambda: False)
"""
BACKEND = """
import json
import torch, rasterio
print(json.dumps({"event": "result", "versions": {"torch": torch.__version__, "timm": None}, "device": "cpu",
                  "devices": ["cpu"], "models": [{"name": "none"}]}))
"""


def write_wheel(folder: Path, name: str, version: str, source: str = "") -> Path:
    """Write a wheel of one module."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD")))
    return path


def write_wheels(folder: Path, cpu: bool = True) -> None:
    """Write all wheels that the lists of `write_plugin` name, with a CPU build of PyTorch if `cpu`."""
    write_wheel(folder, "torch", "2.13.0", TORCH.format(version="2.13.0"))
    if cpu:
        write_wheel(folder, "torch", "2.13.0+cpu", TORCH.format(version="2.13.0+cpu"))
    write_wheel(folder, "torchvision", "0.28.0")
    write_wheel(folder, "rasterio", "1.4.4")


def write_plugin(parent: Path, wheels: Path, platform: str, version: str) -> Path:
    """Write the packed plugin to `parent`, with lists of the tiny wheels and a backend that needs only them."""
    plugin = package.write_folder(ROOT, parent)
    shutil.rmtree(plugin / "backend")
    (plugin / "backend" / "network").mkdir(parents=True)
    for name, source in {"__init__": "", "network/timm_import": "", "__main__": BACKEND}.items():
        (plugin / "backend" / f"{name}.py").write_text(source)
    lines = [f"# covers {platform} {version} 1 1"]
    for path in sorted(wheels.glob("*.whl")):
        name, number = path.name.split("-")[:2]
        if "+" not in number:
            lines += [f"{name}=={number} \\", f"    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"]
    (plugin / "requirements-locked.txt").write_text("\n".join(lines) + "\n")
    (plugin / "requirements.txt").write_text("torch==2.13.0\ntorchvision==0.28.0\nrasterio\n")
    return plugin
