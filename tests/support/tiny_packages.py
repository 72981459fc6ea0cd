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
OPENVINO = """
__version__ = "2024.6.0-17404"
class Core:
    available_devices = ["CPU"]
"""
BACKEND = """
import importlib.util, json, rasterio
versions = {"torch": None, "timm": None}
if importlib.util.find_spec("torch"):
    import torch
    versions["torch"] = torch.__version__
print(json.dumps({"event": "result", "versions": versions, "device": "cpu", "devices": ["cpu"],
                  "models": [{"name": "none"}]}))
"""
MAPPING = ("numpy", "openvino", "rasterio", "safetensors", "scipy", "sklearn")
PYTORCH = ("torch", "torchvision", "rasterio")


def write_wheel(folder: Path, name: str, version: str, source: str = "") -> Path:
    """Write a wheel of one module, which has a test."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{name}/tests/test_it.py": "assert True",
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
    for name in MAPPING:
        write_wheel(folder, name, "1.4.4", OPENVINO if name == "openvino" else "")


def write_plugin(parent: Path, wheels: Path, platform: str, version: str) -> Path:
    """Write the packed plugin to `parent`, with lists of the tiny wheels and a backend that needs only them."""
    plugin = package.write_folder(ROOT, parent)
    shutil.rmtree(plugin / "backend")
    (plugin / "backend" / "network").mkdir(parents=True)
    for name, source in {"__init__": "", "network/timm_import": "", "__main__": BACKEND}.items():
        (plugin / "backend" / f"{name}.py").write_text(source)
    pins: dict[str, str] = {}
    for path in sorted(wheels.glob("*.whl")):
        name, number = path.name.split("-")[:2]
        if "+" not in number:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            pins[name] = f"{name}=={number} \\\n    --hash=sha256:{digest}\n"
    for kind, names in (("mapping", MAPPING), ("pytorch", PYTORCH)):
        head = f"# covers {platform} {version} 1 1\n"
        (plugin / f"requirements-{kind}-locked.txt").write_text(head + "".join(pins[name] for name in names))
    (plugin / "requirements.txt").write_text("".join(f"{name}\n" for name in MAPPING))
    (plugin / "requirements-pytorch.txt").write_text("torch==2.13.0\ntorchvision==0.28.0\n")
    return plugin
