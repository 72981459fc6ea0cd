"""Hostile model folders are refused in one line; nothing of them runs, little memory is used, markup is escaped."""

from __future__ import annotations

import hashlib
import html
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from safetensors.torch import load_file, save

from tests.backend.reliability import zoo

MOST_BYTES = 300 * 2**20
WEIGHTS, CARD = "model.safetensors", "card.json"


@pytest.fixture
def folder(tiny_model, tmp_path) -> Path:
    """A model folder without network.onnx, so that the weights are read by every engine."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model", ignore=shutil.ignore_patterns("network.onnx")))


def change(folder: Path, **fields: Any) -> None:
    data = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps({**data, **fields}))


def weigh(folder: Path, content: bytes) -> None:
    """Replace the weights, and the hash in the card."""
    (folder / WEIGHTS).write_bytes(content)
    change(folder, weights_sha256=hashlib.sha256(content).hexdigest())


class Attack:
    """Creates a file when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


def header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def tensors(**offsets: tuple[int, int]) -> bytes:
    entry = {name: {"dtype": "F32", "shape": [2], "data_offsets": place} for name, place in offsets.items()}
    return header(json.dumps(entry).encode()) + bytes(64)


def sparse(path: Path, size: int, begin: bytes = b"") -> None:
    with path.open("wb") as file:
        file.write(begin)
        file.truncate(size)


def changed_tensor(folder: Path, to: Callable[[torch.Tensor], torch.Tensor]) -> None:
    found = load_file(folder / WEIGHTS)
    found["backbone.cls_token"] = to(found["backbone.cls_token"])
    weigh(folder, save(found))


def large(folder: Path) -> dict[str, Any]:
    """Return card fields for about a gigabyte of weights, so that a large file fits."""
    arch = json.loads((folder / CARD).read_text())["arch"]
    return {"arch": {**arch, "embed_dim": 1024, "depth": 20, "heads": 16}}


def swap_hash(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)


def pipe_for_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def device_for_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to("/dev/zero")


def torch_file_for_weights(folder: Path) -> None:
    torch.save(Attack(folder.parent / "canary"), folder / WEIGHTS)
    weigh(folder, (folder / WEIGHTS).read_bytes())


def gigabytes_of_nothing(folder: Path) -> None:
    change(folder, **large(folder))
    sparse(folder / WEIGHTS, 900 * 2**20)


def header_of_99_megabytes(folder: Path) -> None:
    change(folder, **large(folder))
    sparse(folder / WEIGHTS, 900 * 2**20, struct.pack("<Q", 99 * 10**6) + b"{" + b" " * 10)


def classes(count: int) -> list[dict[str, Any]]:
    return [{"value": 1 + n % 254, "name": "x", "color": "#000000"} for n in range(count)]


def named(name: str) -> list[dict[str, Any]]:
    return [{"value": value, "name": name, "color": "#000000"} for value in (10, 40, 80)]


HOSTILE: dict[str, Callable[[Path], None]] = {
    "pickle_for_weights": lambda f: weigh(f, pickle.dumps(Attack(f.parent / "canary"))),
    "torch_file_for_weights": torch_file_for_weights,
    "pickle_for_a_card": lambda f: (f / CARD).write_bytes(pickle.dumps(Attack(f.parent / "canary"))) and None,
    "header_of_a_gigabyte": lambda f: weigh(f, struct.pack("<Q", 2**30) + b"{}"),
    "header_of_99_megabytes": header_of_99_megabytes,
    "gigabyte_of_nothing": gigabytes_of_nothing,
    "overlapping_offsets": lambda f: weigh(f, tensors(a=(0, 8), b=(4, 12))),
    "offsets_outside": lambda f: weigh(f, tensors(a=(2**40, 2**40 + 8))),
    "offsets_backwards": lambda f: weigh(f, tensors(a=(8, 0))),
    "deep_header": lambda f: weigh(f, header(b'{"a":' * 20_000)),
    "wrong_shape": lambda f: changed_tensor(f, lambda t: torch.zeros(1, 1, 8)),
    "wrong_type": lambda f: changed_tensor(f, lambda t: t.half()),
    "nan_weights": lambda f: changed_tensor(f, lambda t: t * float("nan")),
    "hash_mismatch": swap_hash,
    "pipe_for_weights": pipe_for_weights,
    "device_for_weights": device_for_weights,
    "no_weights": lambda f: (f / WEIGHTS).unlink(),
    "traversal_in_the_name": lambda f: change(f, name="../../../etc/passwd"),
    "traversal_in_the_architecture": lambda f: change(f, arch={**large(f)["arch"], "timm": "../../evil"}),
    "class_path_for_an_architecture": lambda f: change(f, arch={**large(f)["arch"], "timm": "os.system"}),
    "network_for_an_architecture": lambda f: change(f, arch={**large(f)["arch"], "timm": "hf-hub:evil/model"}),
    "huge_architecture": lambda f: change(f, arch={**large(f)["arch"], "embed_dim": 4096, "depth": 64}),
    "huge_positions": lambda f: change(f, tile=2048, patch=1, arch={**large(f)["arch"], "embed_dim": 4096}),
    "a_million_classes": lambda f: change(f, classes=classes(1_000_000)),
    "ten_thousand_classes": lambda f: change(f, classes=classes(10_000)),
    "name_of_control_characters": lambda f: change(f, classes=named("a\x1b[2Jb")),
    "name_that_turns_text_around": lambda f: change(f, classes=named("a\u202eb")),
    "name_of_a_megabyte": lambda f: change(f, classes=named("a" * 900_000)),
    "version_of_a_megabyte": lambda f: change(f, schema_version="1" * 900_000),
    "key_of_a_megabyte": lambda f: change(f, **{"k" * 900_000: 1}),
    "deep_card": lambda f: (f / CARD).write_bytes(b"[" * 900_000) and None,
    "infinite_numbers": lambda f: change(f, gsd_m=float("inf")),
    "a_tile_of_a_thousand_digits": lambda f: change(f, tile=10**1000),
    "a_pixel_size_of_a_thousand_digits": lambda f: change(f, gsd_m=10**1000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_model_is_refused_in_little_memory(name, warm, folder, tmp_path):
    scene = zoo.plain(tmp_path)
    HOSTILE[name](folder)
    before = {path.name for path in tmp_path.iterdir()}
    done = warm("landcover", scene, tmp_path / "o.tif", "--model", folder, "--progress", "none", limit=60)
    assert len(done.refusal) < 1000
    assert {path.name for path in tmp_path.iterdir()} == before
    assert done.grown < MOST_BYTES
    assert done.seconds < 20


def peak(arguments: list[object], environment: dict[str, str], root: Path) -> int:
    """Return the peak memory, in MiB, of a separate process that runs the command line."""
    code = (
        "import sys; from tests.support.peak_memory import peak_mib; from backend.__main__ import main; "
        "import backend.network.weights;"
        "main(sys.argv[1:]); print(peak_mib())"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
    return round(float(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_memory_of_a_refusal_is_little_above_pytorch(folder, worker_environment, repo_root, tmp_path):
    options = ["--model", folder, "--progress", "none"]
    floor = peak(["landcover", tmp_path / "no.tif", tmp_path / "o.tif", *options], worker_environment, repo_root)
    header_of_99_megabytes(folder)
    scene = zoo.plain(tmp_path)
    refused = peak(["landcover", scene, tmp_path / "o.tif", *options], worker_environment, repo_root)
    print(f"PyTorch alone {floor} MiB, the refusal {refused} MiB")
    assert refused - floor < MOST_BYTES / 2**20


def test_markup_in_names_is_escaped_wherever_it_is_shown(warm, folder, tmp_path):
    evil = "<script>alert('x')</script>&\"]]>"
    change(folder, title=f"<b>{evil}", classes=named(evil))
    scene, output = zoo.plain(tmp_path), tmp_path / "o.tif"
    done = warm("landcover", scene, output, "--model", folder, "--progress", "none")
    assert done.code == 0, done
    labels = [entry.get("label") for entry in ET.parse(tmp_path / "o.qml").iter("paletteEntry")]
    assert labels == [evil] * 3
    assert evil in [item.text for item in ET.parse(tmp_path / "o.tif.aux.xml").iter("Category")]
    report = tmp_path / "report.html"
    assert warm("accuracy", output, output, report, "--progress", "none").code == 0
    text = report.read_text(encoding="utf-8")
    assert html.escape(evil) in text and "<script" not in text
