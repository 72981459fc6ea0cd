"""Compare `landcover` with other programs on the same weights, raster, tiles and threads.

    python -m benchmarks.peers --setup                      make the peers' environment once: build/peers/venv, 2.8 GB
    python -m benchmarks.peers [--megapixels 10] [--rounds 3] [--only [NAME …]] [--defaults] [--json PATH]

Contenders, each in a process of its own:

- ours: `python -m backend landcover`, as users run it; with PyTorch alone; and with eight bits;
- monai: `sliding_window_inference` over the whole scene as one array, Gaussian blending;
- terratorch: `tiled_inference` over the whole scene as one array, a quarter of each overlap cut, the rest blended;
- geoai: `predict_geotiff`, from file to file, spline blending;
- onnx: ONNX Runtime in a loop over tiles whose middles are copied into the map, as the QGIS plugin Deepness does;
- torchgeo: a loop over `GridGeoSampler`, one file a tile, then merged, as the QGIS plugin IAMAP does.

All use tiles of the model's size, our overlap and our batch; --defaults adds each peer with its default sizes. The
scene is the simulated sample, mirrored repeatedly, with speckle that doesn't repeat.

Figures of each contender: seconds from opening the raster to the closed map, without imports and loading (ours: from
its start event to its result event); seconds of the whole process; peak resident memory; the share of pixels with the
class of our map, and with that of a reference (three quarters of overlap, in the middle of the scene); and the rate of
class changes across tile borders divided by the rate elsewhere (the larger of both directions; 1 is ideal, above 1.1
tiles show). A peer that needs more memory than --memory-gb is reported as out of memory.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from backend.card.model_card import ModelCard
from backend.card.registry import CARD, model_folder
from backend.engines.processor import processor_batch
from backend.maps.landcover import landcover_overlap
from benchmarks.peers import contest, environment
from benchmarks.peers.table import OUR_ENGINES, OURS, Contender, facts_of, show
from benchmarks.peers.tiles import Tiles
from benchmarks.peers.worker import PEERS, peer_module
from benchmarks.speed.scenes import side_of, write_scene
from benchmarks.speed.timing import interleaved, summary


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--setup", action="store_true", help="make the peers' environment, and end")
    parser.add_argument("--megapixels", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(PEERS), default=list(PEERS), help="these peers; may be none")
    parser.add_argument("--defaults", action="store_true", help="also each peer with its own sizes")
    parser.add_argument("--model", help="name or folder; the bundled one by default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-gb", type=float, default=18, help="address space of a peer (default 18)")
    parser.add_argument("--reference-megapixels", type=float, default=1, help="0 leaves the reference out")
    parser.add_argument("--folder", type=Path, help="where scene and maps are made; a temporary folder by default")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def same_tiles(model: Path) -> Tiles:
    """Return the tiles that `landcover` uses on a processor."""
    card = ModelCard.load(model / CARD)
    overlap = landcover_overlap(card.tile, card.patch, card.arch.reach)
    return Tiles(card.tile, overlap, processor_batch(card))


def compare(given: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Make the scene, run the contenders in turn, and compare their maps."""
    model = model_folder(given.model)
    card = ModelCard.load(model / CARD)
    job = contest.Job(folder / "scene.tif", model, given.threads, given.memory_gb)
    side = side_of(given.megapixels)
    write_scene(job.scene, side, side)
    difference = contest.export(job, card.tile) if "onnx" in given.only else None
    same = same_tiles(model)
    contenders = {name: Contender(OURS, folder / f"{name}.tif", same, engine) for name, engine in OUR_ENGINES.items()}
    for name in given.only:
        contenders[name] = Contender(name, folder / f"{name}.tif", same)
        if given.defaults:
            tiles = peer_module(name).DEFAULTS
            contenders[f"{name} (defaults)"] = Contender(name, folder / f"{name}-defaults.tif", tiles)

    def turn(contender: Contender) -> float:
        if contender.failed:
            return float("nan")
        if contender.peer == OURS:
            outcome = contest.run_ours(job, contender.map, contender.engine)
        else:
            outcome = contest.run_peer(job, contender.peer, contender.map, contender.tiles)
        contender.outcomes.append(outcome)
        return outcome.seconds

    timings = interleaved({name: (lambda c=c: turn(c)) for name, c in contenders.items()}, given.rounds)
    facts = facts_of(contenders, summary(timings, OURS), job.scene, model, given.reference_megapixels)
    settings = {"megapixels": side**2 / 1e6, "threads": given.threads, "memory_gb": given.memory_gb}
    return {**settings, "onnx_difference": difference, **facts}


def main() -> None:
    """Print the table."""
    given = options()
    if given.setup:
        environment.setup()
        return
    if given.only and not environment.python().exists():
        raise SystemExit("The peers' environment is missing; make it with: python -m benchmarks.peers --setup")
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        facts = compare(given, Path(name))
    show(facts)
    if given.json:
        given.json.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
