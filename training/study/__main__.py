"""Run the study of "Exploring DINO" (Gallego-Mejia et al., arXiv 2310.03513) on a model and labelled data.

    python -m training.study --model MODEL_DIR|RUN --data FOLDER --out DIR [--quick] [--resume]

Two questions: does pre-training help land cover, and what do attention maps add to tokens? FOLDER has images/, labels/,
a legend in dataset.toml, and splits.csv with "train" and "test" (or "val") regions. All parts are done unless
`--set parts='["curve"]'` names some:
    curve     fine-tuned and frozen DINO, from scratch, frozen random weights, random forest, over shares of the labels
    probes    attention, tokens and backscatter of patches, classified by the same three probes
    heads     each attention head against each class
    clusters  k-means of patches against labels
    position  position in the tile, predicted from a token
    inputs    land cover from backscatter with and without attention as further bands
DIR receives report.md and report.html with figures/, results.json with every figure, config.json with all settings and
seeds, and cells/, from which --resume continues. --quick is a trial of minutes whose figures mean little; the whole
study takes hours on a CPU (the time left is printed). Exit 0 done, 1 refused, 2 usage, 130 stopped.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backend import __version__
from backend.core.context import Context
from backend.core.run_events import report_result
from backend.core.supervise import supervise
from training.run.command_line import report_start, resumable, run_parser
from training.run.config import load_recipe, override, resolve, resolved, write_resolved
from training.run.files import write_text
from training.run.run_folder import claim_run
from training.study.clusters import cluster_cells
from training.study.curve import curve_cells
from training.study.experiment import Experiment
from training.study.heads import head_cells
from training.study.inputs import input_cells
from training.study.ledger import Cell, Ledger
from training.study.material import Material, load_material
from training.study.networks import open_networks
from training.study.patches import load_patches
from training.study.position import position_cells
from training.study.probes import probe_cells
from training.study.report import write_report
from training.study.settings import StudyConfig

CONFIG = "config.json"


def study(
    model: str, data: Path, out: Path, config: StudyConfig, resume: bool = False, context: Context | None = None
) -> dict[str, Any]:
    """Run a study and write its report.

    Args:
        model: Pre-training run, model folder or name of an installed model.
        data: Labelled data folder with splits.
        out: Folder of the study.
        config: Settings.
        resume: Continue with the results in `out`.
        context: Receives progress; its cancel ends the study after the current piece of work.

    Returns:
        The content of results.json.

    Raises:
        InputError: Data or settings can't be used, or `out` holds another study.
        ModelError: The model can't be used, or a training diverged.
        Cancelled: The study was stopped; finished pieces of work are kept.
    """
    context = context or Context()
    networks = open_networks(model, config.tile)
    material = load_material(data, networks.model.bands, config)
    facts = {
        "version": __version__, "model": model, "model_sha256": networks.fingerprint,
        "data": str(data), "data_sha256": material.fingerprint,
    }  # fmt: skip
    fixed = {key: facts[key] for key in ("model_sha256", "data_sha256")}

    def say(text: str) -> None:
        context.cancel.check()  # the ledger calls this before each piece of work
        context.reporter.log("info", text)

    with claim_run(out, config, fixed, resume, lambda name: name in ("jobs", "pictures", "parts"), begun=Path(CONFIG)):
        write_resolved(out / CONFIG, config, **facts)
        experiment = Experiment(material, networks, config)
        cells = _cells(experiment)
        report_start(context.reporter, "study", model, config.finetune.device, [data], out)
        found = Ledger(out / "cells", say).run(cells)
        results = {
            "facts": {**facts, "origin": networks.origin, **_described(material)},
            "config": resolved(config),
            "cells": found,
        }
        write_text(out / "results.json", json.dumps(results, indent=1) + "\n")
        write_report(out, results, experiment)
    return results


def _cells(experiment: Experiment) -> list[Cell]:
    material, networks, config = experiment
    names, patches = material.names, functools.cache(lambda: load_patches(experiment))
    parts = {
        "curve": lambda: curve_cells(experiment),
        "probes": lambda: probe_cells(patches, names, config),
        "heads": lambda: head_cells(patches, names),
        "clusters": lambda: cluster_cells(patches, names, config),
        "position": lambda: position_cells(patches, networks.model.arch.depth, config),
        "inputs": lambda: input_cells(experiment),
    }
    # Short parts come first, so that a study that is stopped has results for most questions.
    order = ("heads", "position", "clusters", "probes", "curve", "inputs")
    return [cell for part in order if part in config.parts for cell in parts[part]()]


def _described(material: Material) -> dict[str, Any]:
    return {
        "title": material.title,
        "classes": [{"name": item.name, "color": item.color, "group": item.group} for item in material.classes],
        "bands": [material.bands[i].name for i in material.present],
        "train_chips": len(material.train), "train_regions": material.groups[0],
        "test_chips": len(material.test), "test_regions": material.groups[1], "test_split": material.test_split,
    }  # fmt: skip


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = run_parser("training.study", __doc__)
    parser.add_argument("--model", required=True, help="pre-training run, model folder, or name of an installed model")
    parser.add_argument("--data", required=True, type=Path, help="data folder with images/, labels/ and splits.csv")
    parser.add_argument("--out", required=True, type=Path, help="folder of the study")
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--recipe", default="study", help="a name in training/recipes, or a .toml file")
    recipe.add_argument("--quick", action="store_true", help="a trial of minutes: the recipe study_quick")
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or stopped.
    """
    began = time.monotonic()
    recipe = load_recipe("study_quick" if options.quick else options.recipe)
    config = resolve(StudyConfig, override(recipe, options.set))
    with resumable():
        study(options.model, options.data, options.out, config, options.resume, context)
    report_result(context.reporter, began, {"output": options.out / "report.html"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
