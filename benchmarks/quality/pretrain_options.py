"""Measure what each option of pre-training brings: the same small network, data and steps, with and without it.

    python -m benchmarks.quality.pretrain_options --data FOLDER [FOLDER ...] --labelled FOLDER --out DIR [--seeds 1]

Pre-trains a run for every variant and seed in DIR, then prints a table and writes DIR/options.json:
    k-NN, logistic   balanced accuracy of patch tokens on the split "val" of the labelled folder, by the 20 nearest
                     neighbours and by a logistic regression, from the split "train"; training/monitor/probe.py selects
                     the tokens
    outliers         share of patch tokens whose norm before the last layer norm is large: its logarithm is more than 5
                     robust deviations above the median (Darcet et al., arXiv 2309.16588, section 2.1, set a threshold
                     by eye in the gap of their histogram); and the largest norm over the median one
    time             of a step, without drawing its views, relative to the base in the same round; the median over
                     rounds in which each variant takes one step
Seeds are paired: all variants of a seed see the same views. The row "random" is the network before any step. Started
again, it continues; finished runs and scores are kept. A seed takes 20 minutes on two idle CPU cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backend.core.errors import SarDinoError
from backend.engines.pytorch import choose_device
from backend.network.vit import SarViT
from training.dino.backbone import FACTS, load_backbone
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches
from training.draws.store import ChipStore
from training.monitor.probe import Probe
from training.pretrain import pretrain
from training.run.checkpoint import STATE
from training.run.command_line import RunOptions
from training.run.config import override, resolve, resolved
from training.run.distributed import World
from training.run.files import write_text
from training.run.pretrain_config import PretrainConfig

BASE: dict[str, Any] = {
    "model": {
        "arch": {"timm": "vit_tiny_patch16_224", "embed_dim": 128, "depth": 4, "heads": 4},
        "patch": 8,
        "tile": 64,
    },
    "crops": {
        "window": 96,
        "global_size": 64,
        "global_scale": [0.35, 1.0],
        "local_size": 32,
        "local_scale": [0.06, 0.35],
        "local_count": 4,
    },
    "dino": {
        "out_dim": 2048,
        "hidden_dim": 512,
        "bottleneck_dim": 128,
        "teacher_temp": 0.06,
        "teacher_temp_warmup": 0.3,
        "momentum": 0.99,
        "drop_path": 0.0,
    },
    "optim": {"base_lr": 4e-3, "min_lr": 1e-5, "weight_decay_end": 0.2, "freeze_last_layer": 0.02},
    "monitor": {"pictures": 0, "tensorboard": False},
}
RANDOM = "random"
VARIANTS: dict[str, tuple[str, ...]] = {
    "base": (),
    "registers": ("model.arch.registers=4",),
    "koleo": ("dino.koleo_weight=0.1",),
    "sinkhorn": ("dino.centring=sinkhorn",),
    "ibot": ("dino.ibot_weight=1",),
    "ibot_own_head": ("dino.ibot_weight=1", "dino.ibot_shared_head=false"),
    "ibot_koleo_sinkhorn": ("dino.ibot_weight=1", "dino.koleo_weight=0.1", "dino.centring=sinkhorn"),
    "bfloat16": ("run.precision=bfloat16",),
}
DEFAULT = ("base", "registers", "koleo", "sinkhorn", "ibot", "ibot_koleo_sinkhorn")
SCORES = ("knn", "logistic", "outliers", "largest")
ROBUST = 5.0  # robust deviations: 3 in ten million of a log-normal distribution


def config_of(variant: str, seed: int, given: argparse.Namespace) -> PretrainConfig:
    """Return the settings of a run."""
    common = (
        f"run.seed={seed}",
        f"run.device={given.device}",
        f"optim.steps={given.steps}",
        f"optim.batch={given.batch}",
    )
    return resolve(PretrainConfig, override(BASE, (*common, *VARIANTS[variant])))


def train(config: PretrainConfig, data: Sequence[Path], run: Path) -> None:
    """Train a run to its end, unless it is finished."""
    if (run / FACTS).is_file():
        done = json.loads((run / FACTS).read_text(encoding="utf-8"))["step"]
        before = json.loads((run / "config.json").read_text(encoding="utf-8"))["config"]
        if done == config.optim.steps and before == resolved(config):
            return
    pretrain(config, data, run, RunOptions(resume=(run / "checkpoint" / STATE).is_file()))


def network_of(config: PretrainConfig, run: Path | None) -> SarViT:
    """Return the teacher of a run, or the network before any step."""
    model = config.model
    torch.manual_seed(config.run.seed)
    vit = SarViT(model.arch, len(model.bands), model.tile, model.patch, 1)
    if run is not None:
        vit.backbone.load_state_dict(load_backbone(run, model.tile)[0].state_dict())
    return vit.eval()


def scores_of(vit: SarViT, probe: Probe, device: torch.device) -> dict[str, float]:
    """Compute the `SCORES` of a network."""
    vit.to(device)
    known, classes = probe.train.features(vit, device)
    norms: list[NDArray[np.float32]] = []
    with vit.backbone.norm.register_forward_pre_hook(
        lambda _, args: norms.append(args[0][:, vit.backbone.num_prefix_tokens :].float().norm(dim=-1).cpu().numpy())
    ):
        asked, truth = probe.val.features(vit, device)
    linear = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    predicted = linear.fit(known, classes).predict(asked)
    outliers, largest = outliers_of(np.concatenate([part.ravel() for part in norms]))
    return {
        "knn": probe.score(vit, device)["knn_balanced_accuracy"],
        "logistic": float(balanced_accuracy_score(truth, predicted)),
        "outliers": outliers,
        "largest": largest,
    }


def outliers_of(norms: NDArray[np.float32]) -> tuple[float, float]:
    """Return the share of norms [N] far above the rest, and the largest norm over the median."""
    logs = np.log(norms)
    median = np.median(logs)
    deviation = 1.4826 * np.median(np.abs(logs - median))
    return float(np.mean(logs > median + ROBUST * deviation)), float(np.exp(logs.max() - median))


def scored(
    run: Path, config: PretrainConfig, probe: Probe, settings: dict[str, Any], trained: bool
) -> dict[str, float]:
    """Read the scores from RUN/scores.json if they have the same settings; otherwise compute and keep them."""
    path = run / "scores.json"
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["settings"] == settings:
            result: dict[str, float] = kept["scores"]
            return result
    found = scores_of(network_of(config, run if trained else None), probe, choose_device(config.run.device))
    run.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"settings": settings, "scores": found}, indent=2) + "\n")
    return found


def step_times(configs: dict[str, PretrainConfig], data: Sequence[Path], rounds: int) -> dict[str, float]:
    """Return the median time of a step relative to the first variant in its round; the first round is a warm-up.

    Args:
        configs: Settings by variant; the first is the base.
        data: Folders from which the views of the steps are drawn.
        rounds: Steps of each variant that are timed; with 0 nothing is.
    """
    if not rounds:
        return {}
    base = next(iter(configs.values()))
    store = ChipStore(data, base.model.bands, base.run.memory_gb, base.split)
    trainers = {}
    for name, config in configs.items():
        trainers[name] = Trainer(config, World(0, 1, choose_device(config.run.device)))
    batches = {name: StepBatches(store, config) for name, config in configs.items()}
    ratios: dict[str, list[float]] = {name: [] for name in trainers}
    for number in range(rounds + 1):
        taken = {}
        for name, trainer in trainers.items():
            plan = batches[name][number]
            began = time.perf_counter()
            trainer.step(number, plan)  # reads the loss back, so nothing is left queued on a GPU
            taken[name] = time.perf_counter() - began
        for name in trainers if number else ():
            ratios[name].append(taken[name] / next(iter(taken.values())))
    return {name: float(np.median(values)) for name, values in ratios.items()}


def table(found: dict[str, list[dict[str, float]]], times: dict[str, float]) -> str:
    """Return rows of variants: means over seeds, deviations if there are several, and relative time."""
    lines = ["variant | k-NN | logistic | outliers | largest / median norm | time", "--- | --- | --- | --- | --- | ---"]
    for name, seeds in found.items():
        values = {score: np.array([seed[score] for seed in seeds]) for score in SCORES}
        cells = [_cell(values[score]) for score in ("knn", "logistic")]
        cells += [f"{values['outliers'].mean():.2%}", f"{values['largest'].mean():.2f}"]
        lines.append(" | ".join([name, *cells, f"{times[name]:.2f}" if name in times else "-"]))
    return "\n".join(lines)


def _cell(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.3f}" + (f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else "")


def main() -> None:
    """Train, score, time, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="unlabelled folders")
    parser.add_argument("--labelled", type=Path, required=True, help="folder with labels and splits.csv")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs and of options.json")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(DEFAULT), help="in addition to base")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=10_000, help="most labelled tokens of either split")
    parser.add_argument("--rounds", type=int, default=8, help="of timing; 0 for none")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args()
    names = list(dict.fromkeys(("base", *given.variants)))
    probe = Probe(given.labelled, config_of("base", 0, given).model, given.tokens)
    settings = {"labelled": str(given.labelled.resolve()), "tokens": given.tokens}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in (RANDOM, *names)}
    for seed in range(given.seeds):
        plain = config_of("base", seed, given)
        found[RANDOM].append(scored(given.out / f"{RANDOM}-{seed}", plain, probe, settings, trained=False))
        for name in names:
            config, run = config_of(name, seed, given), given.out / f"{name}-{seed}"
            train(config, given.data, run)
            found[name].append(scored(run, config, probe, settings, trained=True))
            print(f"{name}, seed {seed}: {found[name][-1]}", flush=True)
    times = step_times({name: config_of(name, 0, given) for name in names}, given.data, given.rounds)
    facts = {"steps": given.steps, "batch": given.batch, "data": [str(d) for d in given.data], **settings}
    result = {"settings": facts, "variants": {n: list(VARIANTS[n]) for n in names}, "scores": found, "times": times}
    write_text(given.out / "options.json", json.dumps(result, indent=2) + "\n")
    print(table(found, times))


if __name__ == "__main__":
    try:
        main()
    except SarDinoError as error:
        sys.exit(f"{error.message} {error.hint}")
