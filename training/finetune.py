"""Fine-tune a backbone to land cover and write a model folder for the plugin.

    python -m training.finetune --backbone RUN|MODEL|none|random-frozen --data FOLDER [FOLDER ...] --out MODEL_DIR

If the backbone is a model with the same kind of head and the same classes, its head is kept too (to adapt it to a few
chips of a region); otherwise the head is new. A data folder has images/ and labels/; splits.csv names its "train" and
"val" chips. Without splits.csv all chips are "train", and the weights of the last step are kept. With "val" the weights
with the highest mean IoU are kept (of groups of classes, if the legend has groups), and training stops when it hasn't
risen for `patience` checks. OUT.run/ next to the model folder holds the settings, log.csv and the checkpoint for
--resume. A model that MODEL_DIR holds already is replaced only with --overwrite. Exit 0 done, 1 refused, 2 usage, 130
stopped (a checkpoint is written).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import torch

from backend.card.model_card import SCHEMA_VERSION, ModelCard
from backend.core.context import Context
from backend.core.errors import Cancelled, InputError, ModelError
from backend.core.events import Reporter
from backend.core.run_events import report_result
from backend.core.supervise import supervise
from backend.engines.verify import disagreements
from backend.network.weights import save_model
from backend.own_classes.model_folder import check_older, claim_folder
from backend.stream.decision import by_groups
from training.landcover.chips import CropSampler
from training.landcover.data import load_data
from training.landcover.finetuner import Finetuner
from training.landcover.initial_network import build, carry_head, given_folder, read_source
from training.run.command_line import RunOptions, report_start, resumable, run_parser
from training.run.config import load_recipe, override, resolve, write_resolved
from training.run.finetune_config import FinetuneConfig
from training.run.log import CsvLog, Speed
from training.run.run_folder import claim_run

LOSS_COLUMNS = ("step", "loss", "lr")  # steps done, mean loss since the row before, learning rate of the head
SCORE_COLUMNS = ("mean_iou", "overall_accuracy", "group_iou")


def finetune(
    backbone: str, folders: Sequence[Path], out: Path, config: FinetuneConfig, options: RunOptions | None = None
) -> ModelCard:
    """Fine-tune, or continue an interrupted fine-tuning, and write the model folder.

    Raises:
        InputError: Data or arguments can't be used, or `out` holds a model or other files already.
        ResourceError: Another process uses the folder of the run or of the model.
        ModelError: The backbone can't be used, or the loss is not finite.
        Cancelled: The run was stopped; a checkpoint was written if it had begun.
    """
    options = options or RunOptions()
    run = out.with_name(f"{out.name}.run")
    facts = {"backbone": backbone, "data": [str(folder) for folder in folders]}
    # A run that is resumed may have written its model already.
    place = (out, given_folder(backbone), options.overwrite or options.resume)
    if not run.exists():
        check_older(*place)  # before the run gets a folder
    with ExitStack() as stack:
        stack.enter_context(claim_run(run, config, facts, options.resume, _may_change))
        stack.enter_context(claim_folder(*place, options.context.cancel))
        tuner = _set_up(backbone, folders, config, options.strict)
        first = tuner.restore(run / "checkpoint") if options.resume else 0
        write_resolved(run / "config.json", config, **facts)
        report_start(options.context.reporter, "finetune", backbone, tuner.device, folders, out)
        _loop(tuner, first, run, options.context)
        if tuner.best:
            tuner.model.load_state_dict(tuner.best)
        card = save_model(out, tuner.model, _card(tuner))
        for warning in disagreements(out, card):
            options.context.reporter.log("warning", warning)
        return card


def _may_change(name: str) -> bool:
    return name in ("checkpoint_every_s", "workers")


def _set_up(backbone: str, folders: Sequence[Path], config: FinetuneConfig, strict: bool) -> Finetuner:
    torch.manual_seed(config.seed)
    source = read_source(backbone, config.model, config.tile)
    data = load_data(folders, source.bands, config, strict)
    torch.manual_seed(config.seed)
    start = build(source, config.head, config.head_dim, config.tile, len(data.classes))
    carry_head(start, backbone, data.classes)
    tuner = Finetuner(start, data, config)
    _check_card(tuner)
    return tuner


def _loop(tuner: Finetuner, first: int, run: Path, context: Context) -> None:
    config, reporter, cancel = tuner.config, context.reporter, context.cancel
    sampler = CropSampler(tuner.data.train, tuner.start.bands, config.tile, config.augment, config.seed)
    speed = Speed(first, config.batch)
    log = CsvLog(run / "log.csv", first + 1 if first else 0, LOSS_COLUMNS + (SCORE_COLUMNS if tuner.data.val else ()))
    saved = time.monotonic()
    with (
        cancel.shielded(),
        closing(sampler.batches(range(first, config.steps), config.batch, config.workers)) as batches,
    ):
        for step, inputs, targets in batches:
            loss = tuner.step(step, inputs, targets)
            reporter.progress(step + 1, config.steps, loss=loss, images_per_s=speed.images_per_s(step + 1))
            last = step + 1 == config.steps
            if (step + 1) % config.val_every == 0 or last:
                if _look(tuner, step, log, reporter):
                    tuner.save(run / "checkpoint", config.steps)
                    return
            if last or cancel.is_set() or time.monotonic() - saved >= config.checkpoint_every_s:
                tuner.save(run / "checkpoint", step + 1)
                saved = time.monotonic()
            if cancel.is_set() and not last:
                raise Cancelled(f"Stopped after step {step + 1} of {config.steps}.", "Continue with --resume.")


def _look(tuner: Finetuner, step: int, log: CsvLog, reporter: Reporter) -> bool:
    """Write a row of the log, with scores if there are validation chips; return whether training should stop."""
    row = {"step": step + 1, "loss": tuner.take_loss(), "lr": tuner.rate(step)}
    if not tuner.data.val:
        log.write(row)
        return False
    scores = tuner.check()
    finished = tuner.note(scores["group_iou"])
    log.write({**row, **{name: scores[name] for name in SCORE_COLUMNS}})
    shown = f"val mIoU {scores['mean_iou']:.3f}, of groups {scores['group_iou']:.3f}"
    reporter.log("info", f"step {step + 1}  {shown}  OA {scores['overall_accuracy']:.3f}")
    if finished:
        reporter.log("info", f"Stopped: no higher mean IoU in {tuner.config.patience} checks.")
    return finished


def _check_card(tuner: Finetuner) -> None:
    """Refuse before training what the card would refuse after it: a name, a product, a pixel size, a tile."""
    config = tuner.config
    if config.map_tile not in (0, config.tile) and tuner.start.arch.positions == "learned":
        raise InputError(
            f"map_tile is {config.map_tile}, and the network has learned positions for tiles of {config.tile}.",
            "Leave out map_tile, or pre-train with model.arch.positions=none.",
        )
    try:
        ModelCard.from_dict(_card(tuner).to_dict())
    except ModelError as error:
        raise InputError(error.message, "Change that setting.") from error


def _card(tuner: Finetuner) -> ModelCard:
    start, config = tuner.start, tuner.config
    score = "mean_iou_of_groups" if by_groups(tuner.data.classes) else "mean_iou"
    metrics = {"validation": {score: round(tuner.best_iou, 4)}} if tuner.best else {}
    return ModelCard(
        schema_version=SCHEMA_VERSION,
        name=config.name,
        title=config.title,
        bands=start.bands,
        product=config.product,
        gsd_m=config.gsd_m,
        arch=start.arch,
        tile=config.map_tile or config.tile,
        patch=start.model.patch,
        classes=tuner.data.classes,
        trained_on=(
            f"Backbone: {start.origin}" + (", kept as it was" if tuner.frozen and not start.frozen else ""),
            *(f"Labels: {source}" for source in tuner.data.sources),
            *config.trained_on,
        ),
        limits=config.limits,
        metrics=metrics,
        licence=config.licence,
        allows_missing_bands=len(start.bands) > 1 and config.augment.band_drop > 0,
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = run_parser("training.finetune", __doc__)
    parser.add_argument("--backbone", required=True, help="a pre-training run, a model, none, or random-frozen")
    parser.add_argument("--data", required=True, nargs="+", type=Path, help="data folders with images/ and labels/")
    parser.add_argument("--out", required=True, type=Path, help="model folder to write")
    parser.add_argument("--recipe", help="a name in training/recipes, or a .toml file")
    parser.add_argument("--overwrite", action="store_true", help="replace a model in --out")
    parser.add_argument(
        "--strict", action="store_true", help="refuse chips that can't be read; by default they are left out"
    )
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or stopped.
    """
    began = time.monotonic()
    config = resolve(FinetuneConfig, override(load_recipe(options.recipe) if options.recipe else {}, options.set))
    how = RunOptions(options.resume, options.strict, options.overwrite, context)
    with resumable():
        card = finetune(options.backbone, options.data, options.out, config, how)
    context.reporter.log("info", f"{card.title}, {len(card.classes)} classes")
    report_result(context.reporter, began, {"output": options.out})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
