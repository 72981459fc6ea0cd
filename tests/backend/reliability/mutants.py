"""Run the real command line on small rasters, cards and weights with a few bytes changed at random.

    python -m tests.backend.reliability.mutants [--first 0] [--count 10000] [--folder DIR]

A mutant is made from its number alone. Mutants run by the dozen in forked processes, so that an end by a signal is seen
and belongs to a number, and one that takes too long ends its process. Prints every fault, and last how it went.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 20
LIMIT_S = 20.0
WORDS = [
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"1e999",
    b"-1",
    b"NaN",
    b"[[[[",
]


def prepare(folder: Path, model: Path) -> None:
    """Write the valid files from which mutants are made."""
    from tests.backend.reliability import zoo

    originals = folder / "originals"
    originals.mkdir()
    values = zoo.scene(24, 28)
    zoo.write(originals / "plain.tif", values)
    zoo.write(
        originals / "tiles.tif", values, tiled=True, blockxsize=16, blockysize=16, compress="deflate", predictor=3
    )
    zoo.write(originals / "lzw.tif", values, compress="lzw", nodata=-9999, endianness="big")
    zoo.write(originals / "whole.tif", (values * 100).astype("i2"), interleave="pixel", bigtiff="yes", compress="zstd")
    zoo.write(originals / "scene.png", (values[:1] + 60).astype("u1"), (), driver="PNG")
    zoo.write(originals / "scene.dat", values, driver="ENVI")
    from tests.backend.reliability.zoo_places import vrt

    vrt(originals / "scene.vrt", originals / "plain.tif")
    shutil.copytree(model, originals / "model")


def mutate(content: bytes, rng: np.random.Generator) -> bytes:
    """Apply one to six changes (bytes, words, deletions, repetitions), half of them near the beginning or the end."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 7))):
        size = len(data)
        if not size:
            break
        near = int(rng.integers(0, min(size, 400)))
        at = (near, size - 1 - near, int(rng.integers(0, size)), int(rng.integers(0, size)))[int(rng.integers(0, 4))]
        kind = int(rng.integers(0, 7))
        if kind == 0:
            data[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            data[at] = int(rng.integers(0, 256))
        elif kind == 2:
            data[at : at + 4] = WORDS[int(rng.integers(0, len(WORDS)))]
        elif kind == 3:
            data[at:at] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == 4:
            del data[at : at + int(rng.integers(1, 30))]
        elif kind == 5:
            data[at:at] = data[max(0, at - 40) : at]
        elif rng.random() < 0.3:
            del data[at:]
    return bytes(data)


def make(number: int, originals: Path, folder: Path) -> tuple[Path, Path, str]:
    """Make the mutant of a number; return raster and model to run, and what was changed."""
    rng = np.random.default_rng(number)
    kind = ("raster", "raster", "card", ("weights", "network")[number // 4 % 2])[number % 4]
    model, raster = originals / "model", originals / "plain.tif"
    if kind == "raster":
        names = sorted(path.name for path in originals.iterdir() if path.suffix in (".tif", ".png", ".dat", ".vrt"))
        name = names[int(rng.integers(0, len(names)))]
        target = folder / name
        for beside in originals.glob(f"{Path(name).stem}.*"):
            shutil.copy(beside, folder / beside.name)
        # For ENVI mostly the text header is changed, since pixels are always valid.
        victim = folder / "scene.hdr" if name.endswith(".dat") and rng.random() < 0.8 else target
        victim.write_bytes(mutate(victim.read_bytes(), rng))
        return target, model, f"raster {victim.name}"
    copied = Path(shutil.copytree(model, folder / "model"))
    victim = copied / {"card": "card.json", "weights": "model.safetensors", "network": "network.onnx"}[kind]
    victim.write_bytes(mutate(victim.read_bytes(), rng))
    if kind == "weights":
        (copied / "network.onnx").unlink()  # so that the weights are read
    if kind != "card" and rng.random() < 0.8:
        # Otherwise all would be refused by their hash.
        card, digest = json.loads((copied / "card.json").read_text()), hashlib.sha256(victim.read_bytes()).hexdigest()
        if kind == "weights":
            card["weights_sha256"] = digest
        else:
            card["network"]["sha256"] = digest
        (copied / "card.json").write_text(json.dumps(card))
    return raster, copied, kind


def run(number: int, originals: Path, scratch: Path) -> str:
    """Run a mutant in this process; return "mapped", "refused", or the fault."""
    from backend.__main__ import main

    folder = scratch / str(number)
    folder.mkdir()
    raster, model, what = make(number, originals, folder)
    before = {path.name for path in folder.iterdir()}
    error = io.StringIO()
    output = folder / "o.tif"
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["landcover", str(raster), str(output), "--model", str(model), "--progress", "none"])
    said = error.getvalue()
    left = {path.name for path in folder.iterdir()} - before
    shutil.rmtree(folder)
    if code == 0:
        return "mapped" if left == {"o.tif", "o.qml", "o.tif.aux.xml"} else f"{what}: mapped, but left {sorted(left)}"
    if code != 1 or left or len(said.splitlines()) != 1 or "fault of the program" in said:
        return f"{what}: status {code}, left {sorted(left)}: {said.strip()[:300]}"
    return "refused"


def batch() -> None:
    """Run some mutants in a forked process and end it; print a line before and after each."""
    first, last, originals, scratch = os.environ["MUTANTS"].split("|")
    for number in range(int(first), int(last)):
        print(f"begin {number}", flush=True)
        faulthandler.dump_traceback_later(LIMIT_S, exit=True)
        print(f"end {number} {run(number, Path(originals), Path(scratch))}", flush=True)
        faulthandler.cancel_dump_traceback_later()
    sys.stdout.flush()
    os._exit(0)


def hunt(warm: Any, folder: Path, first: int, count: int) -> tuple[Counter[str], list[str]]:
    """Run mutants; return the numbers mapped and refused, and a line for each fault."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    counts: Counter[str] = Counter()
    faults = []
    number, last = first, first + count
    while number < last:
        until = min(number + BATCH, last)
        places = "|".join(map(str, (number, until, folder / "originals", scratch)))
        done = warm(inject=f"{__spec__.name}:batch", env={"MUTANTS": places}, limit=LIMIT_S * BATCH)
        began = number
        for line in done.out.splitlines():
            word, _, rest = line.partition(" ")
            if word == "begin":
                began = int(rest)
            elif word == "end":
                _, _, fate = rest.partition(" ")
                counts[fate if fate in ("mapped", "refused") else "faulty"] += 1
                if fate not in ("mapped", "refused"):
                    faults.append(f"mutant {began}: {fate}")
        if done.code == 0:
            number = until
            continue
        counts["crashed or hung"] += 1
        faults.append(f"mutant {began}: ended with {done.code}: {done.err.strip()[-600:]}")
        number = began + 1
    return counts, faults


def main() -> int:
    from backend.card.registry import model_folder
    from tests.backend.reliability.warm import Warm

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--model", type=Path, default=model_folder(None), help="a small one is quicker")
    parser.add_argument("--folder", type=Path, help="where files are made; best in memory, such as /dev/shm")
    options = parser.parse_args()
    began = time.monotonic()
    warm = Warm()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        prepare(Path(folder), options.model)
        counts, faults = hunt(warm, Path(folder), options.first, options.count)
    warm.close()
    print("\n".join(faults))
    print(f"{options.count} mutants in {time.monotonic() - began:.0f} s: {dict(counts)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
