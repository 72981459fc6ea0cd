"""Compare pre-trained backbones by probes on labelled patches, with what backscatter and random weights reach.

    python -m training.probe RUN|MODEL [...] --data LABELLED [--folds 6] [--patches 6000] [--classes VALUE ...]
        [--json PATH]

A patch has the class that covers most of it. Groups of splits.csv are divided into folds; each fold is answered by a
linear probe, and by 20 nearest neighbours, fitted to the others. Scores are balanced accuracies: the mean recall of the
classes with at least 30 patches. Tokens are those of the last block, of whole chips. Each run is compared with
    statistics      mean and deviation in decibels of the patch, and of 24 pixels around it: no network at all
    with statistics tokens and statistics together: what tokens don't keep of the backscatter shows here
    random          the same network with random weights, the mean and range of three seeds
Instead of a run, the folder of a model: what fine-tuning made of its tokens. If it learnt labels of the same data, its
score shows about what labels can add, and is no test.
Exit 0 done, 1 refused, 2 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.core.arrays import FloatArray
from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.events import print_lines
from backend.core.supervise import add_progress, supervise
from backend.network.vit import build_backbone
from training.landcover.initial_network import patch_of, read_source
from training.monitor.classifiers import across_folds, linear_probe, nearest_neighbours
from training.monitor.labelled_patches import MOST_SIDE, LabelledPatches
from training.run.common_config import ModelConfig

SEEDS = (0, 1, 2)


class Comparison:
    """Score backbones on one labelled folder; what they share is computed once.

    Args:
        data: Labelled data folder.
        folds: Number of folds; at most as many as groups.
        most: Most patches that are used; 0 for all.
        values: Class values that are used; empty for all.
    """

    def __init__(self, data: Path, folds: int, most: int, values: Sequence[int] = ()) -> None:
        self.data, self.folds, self.most, self.values = data, folds, most, tuple(values)
        self._patches: dict[tuple[Any, ...], LabelledPatches] = {}
        self._kept: dict[tuple[Any, ...], Any] = {}

    def run(self, folder: Path, cancel: Cancel) -> dict[str, Any]:
        """Return the scores of a run: of its tokens, and of the descriptions that they are compared with.

        Raises:
            SarDinoError: The run or the data can't be used, or the command was stopped.
        """
        patch = patch_of(folder)
        tile = MOST_SIDE // patch * patch
        source = read_source(str(folder), ModelConfig(), tile)
        arch, bands = source.arch, source.bands
        backbone = build_backbone(arch, len(bands), tile, patch).eval()
        backbone.load_state_dict(source.weights)
        key = (bands, patch)
        if key not in self._patches:
            self._patches[key] = LabelledPatches(self.data, bands, patch, self.most, self.values)
        patches = self._patches[key]

        def random(seed: int) -> dict[str, float]:
            cancel.check()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                return self._scores(patches, patches.tokens(build_backbone(arch, len(bands), tile, patch).eval()))

        tokens = patches.tokens(backbone)
        values, counts = np.unique(patches.classes, return_counts=True)
        return {
            "run": str(folder),
            "origin": source.origin,
            "patches": {int(value): int(count) for value, count in zip(values, counts)},
            "groups": len(np.unique(patches.groups)),
            "tokens": self._scores(patches, tokens),
            "with_statistics": self._scores(patches, np.concatenate([tokens, patches.statistics], axis=1)),
            "statistics": self._once(("statistics", *key), lambda: self._scores(patches, patches.statistics)),
            "random": self._once(("random", arch, *key), lambda: _together([random(seed) for seed in SEEDS])),
        }

    def _once(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    def _scores(self, patches: LabelledPatches, features: FloatArray) -> dict[str, float]:
        folds = min(self.folds, len(np.unique(patches.groups)))
        builders = {"linear": lambda _: linear_probe(), "neighbours": nearest_neighbours}
        return {
            name: across_folds(build, features, patches.classes, patches.groups, folds)
            for name, build in builders.items()
        }


def _together(found: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return mean and range over seeds."""
    table = {name: [scores[name] for scores in found] for name in found[0]}
    return {name: {"mean": float(np.mean(v)), "lowest": min(v), "highest": max(v)} for name, v in table.items()}


def report(result: dict[str, Any]) -> list[str]:
    """Return the scores of a run as lines."""
    count = sum(result["patches"].values())
    lines = [
        f"{result['run']} ({result['origin']}): {count} patches of {len(result['patches'])} classes in "
        f"{result['groups']} groups; balanced accuracy",
        f"  {'':18}{'linear':>8}{'20 nearest':>12}",
    ]
    for name in ("tokens", "with_statistics", "statistics"):
        scores = result[name]
        lines.append(f"  {name.replace('_', ' '):18}{scores['linear']:8.3f}{scores['neighbours']:12.3f}")
    mean = {name: found["mean"] for name, found in result["random"].items()}
    ranges = ", ".join(f"{n} {found['lowest']:.3f} to {found['highest']:.3f}" for n, found in result["random"].items())
    lines.append(f"  {'random weights':18}{mean['linear']:8.3f}{mean['neighbours']:12.3f}  ({ranges})")
    return lines


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(prog="python -m training.probe", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN|MODEL", help="folder of a pre-training run, or of a model"
    )
    parser.add_argument("--data", required=True, type=Path, help="data folder with images/ and labels/")
    parser.add_argument("--folds", type=int, default=6, help="number of parts into which the groups are divided")
    parser.add_argument("--patches", type=int, default=6000, help="most patches that are used; 0 for all")
    parser.add_argument("--classes", type=int, nargs="+", default=[], metavar="VALUE", help="only these class values")
    parser.add_argument("--json", type=Path, help="write every score")
    add_progress(parser)
    options = parser.parse_args(arguments)
    if options.folds < 2 or options.patches < 0:
        parser.error("--folds is 2 or more, and --patches 0 or more")
    return options


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or stopped.
    """
    comparison = Comparison(options.data, options.folds, options.patches, options.classes)
    results = []
    for number, folder in enumerate(options.runs, 1):
        context.cancel.check()
        results.append(comparison.run(folder, context.cancel))
        context.reporter.progress(number, len(options.runs))
    summary = {"data": str(options.data), "folds": options.folds, "runs": results}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    if options.progress == "json":
        context.reporter.result(summary)
    else:
        print_lines([line for result in results for line in report(result)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
