"""Run one peer once, in the peers' environment, and print one JSON line.

    python -m benchmarks.peers.worker NAME SCENE OUTPUT --model DIR --onnx FILE --tile 128 --overlap 16 --batch 8

The line has seconds (from opening the raster to the closed map), imports_s, load_s and tiles, or `failed`. With NAME
export, the ONNX file is written instead, and the line has the largest difference from PyTorch.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.peers.tiles import Tiles

PEERS = {
    "monai": "monai_window",
    "terratorch": "terratorch_tiles",
    "geoai": "geoai_raster",
    "onnx": "onnx_loop",
    "torchgeo": "torchgeo_grid",
}
OUT_OF_MEMORY = "out of memory"
# Messages of PyTorch's and ONNX Runtime's allocators, which raise no MemoryError.
SIGNS = ("can't allocate memory", "not enough memory", "bad_alloc", "bad allocation", "Failed to allocate memory")


def peer_module(name: str) -> Any:
    """Import the module of a peer; its libraries are imported only when it runs."""
    return importlib.import_module(f"benchmarks.peers.{PEERS[name]}")


def limit_memory(gigabytes: float) -> None:
    """Limit the address space, so that allocations beyond `gigabytes` fail instead of the machine."""
    import resource  # not on Windows

    size = int(gigabytes * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def run(name: str, scene: Path, output: Path, model: Path, onnx: Path, tiles: Tiles) -> dict[str, Any]:
    """Return seconds by part and the number of tiles, or why there is no map."""
    # Imports PyTorch, so only after the memory limit is set.
    from benchmarks.peers.common import Probabilities

    peer = peer_module(name)
    times = [time.perf_counter()]
    try:
        for library in peer.LIBRARIES:
            importlib.import_module(library)
        times.append(time.perf_counter())
        loaded = peer.load(onnx, model) if name == "onnx" else Probabilities(model)
        times.append(time.perf_counter())
        count = peer.predict(loaded, scene, output, tiles)
        times.append(time.perf_counter())
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(sign in str(error) for sign in SIGNS):
            raise
        return {"failed": OUT_OF_MEMORY}
    imports, load, seconds = (round(b - a, 3) for a, b in zip(times, times[1:]))
    return {"seconds": seconds, "imports_s": imports, "load_s": load, "tiles": count}


def main() -> None:
    """Run a peer, or export the network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=[*PEERS, "export"])
    parser.add_argument("scene", type=Path, nargs="?")
    parser.add_argument("output", type=Path, nargs="?")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--tile", type=int, required=True)
    parser.add_argument("--overlap", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--blend")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-gb", type=float)
    given = parser.parse_args()
    if given.memory_gb:
        limit_memory(given.memory_gb)
    import torch

    torch.set_num_threads(given.threads)
    if given.name == "export":
        facts = {"difference": peer_module("onnx").export(given.model, given.onnx, given.tile)}
    else:
        tiles = Tiles(given.tile, given.overlap, given.batch, given.blend)
        facts = run(given.name, given.scene, given.output, given.model, given.onnx, tiles)
    print(json.dumps(facts), flush=True)
    sys.exit(3 if "failed" in facts else 0)


if __name__ == "__main__":
    main()
