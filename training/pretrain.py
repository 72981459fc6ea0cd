"""Pre-train a vision transformer on unlabelled SAR by self-distillation (DINO, Caron et al., ICCV 2021).

    python -m training.pretrain --recipe cpu_small --data FOLDER [FOLDER ...] --out RUN
    python -m training.pretrain --recipe cpu_small --data FOLDER [FOLDER ...] --out RUN --resume
    torchrun --nproc-per-node 4 -m training.pretrain --recipe vit_small_patch8 --data FOLDER --out RUN

RUN receives config.json (resolved settings), log.csv, checkpoint/ (the whole state of the run), and the teacher's
backbone for fine-tuning, backbone.safetensors and backbone.json. Before the first step and ten times a run
(`monitor.every`) the teacher is evaluated:
    pictures/step_*.png   a few scenes: backscatter, components of the tokens, attention of every head
    curves.png            loss, learning rate, entropies, k-NN scores
    probe.csv             k-NN scores of the tokens on a labelled folder, with --set monitor.probe=FOLDER
    tensorboard/          all of this and log.csv, for `tensorboard --logdir RUN`
Exit 0 done, 1 refused, 2 usage, 130 stopped by SIGINT or SIGTERM (or, with --progress json, by the end of standard
input) after writing a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import torch

from backend.core.cancel import Cancel
from backend.core.context import Context
from backend.core.errors import Cancelled
from backend.core.run_events import report_result
from backend.core.supervise import SILENT, supervise
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches, iterate
from training.draws.store import ChipStore
from training.monitor.record import RunRecord
from training.run.command_line import RunOptions, report_start, resumable, run_parser
from training.run.config import load_recipe, override, resolve, write_resolved
from training.run.distributed import all_reduce_mean, joined, leave_processes
from training.run.pretrain_config import PretrainConfig
from training.run.run_folder import claim_run
from training.views.crops import ViewPlan


def pretrain(
    config: PretrainConfig,
    data: Sequence[Path],
    run: Path,
    options: RunOptions | None = None,
    recipe: str = "",
    start: Path | None = None,
) -> None:
    """Pre-train a backbone, or continue an interrupted run.

    Args:
        config: Settings.
        data: Data folders.
        run: Folder of the run; created if missing.
        options: Resuming, unreadable images, progress and cancel.
        recipe: Name to write into config.json.
        start: Folder of a run whose backbone this one starts from.

    Raises:
        InputError: The data can't be used, or the run exists, or a run to resume has other settings or data.
        ResourceError: Another process uses the folder of the run.
        ModelError: The loss is not finite, or the checkpoint can't be used.
        Cancelled: The run was stopped; a checkpoint was written if it had begun.
    """
    options = options or RunOptions()
    reporter, cancel = options.context.reporter, options.context.cancel
    with joined(config.run.device) as world:
        store = ChipStore(data, config.model.bands, config.run.memory_gb, config.split, options.strict)
        if config.run.workers:
            store.fill()
        batches = StepBatches(store, config, world.rank, world.size)
        fixed = {"data_files": store.files, "data_sha256": store.fingerprint}
        facts = {"recipe": recipe, "data": [str(d) for d in data], "start": str(start or ""), **fixed}
        # Stops are deferred from here on; before, reading the data may take long and has no state to save.
        with claim_run(run, config, fixed, options.resume, _may_change), cancel.shielded():
            trainer = Trainer(config, world, None if options.resume else start)
            first = trainer.restore(run) if options.resume else 0
            if world.first:
                write_resolved(run / "config.json", config, **facts)
                report_start(reporter, "pretrain", recipe, world.device, data, run)
            pin = world.device.type == "cuda"
            steps = range(first, config.optim.steps)
            # The other processes wait for the first when they exchange gradients.
            recording = (
                closing(RunRecord(trainer, store.folders, run, first, reporter)) if world.first else nullcontext()
            )
            with recording as record:
                _loop(trainer, iterate(batches, steps, config.run.workers, pin), steps, run, cancel, record)


def _may_change(name: str) -> bool:
    return name.partition(".")[0] in ("run", "monitor") and name != "run.seed"


def _loop(
    trainer: Trainer,
    source: Iterable[ViewPlan],
    steps: range,
    run: Path,
    cancel: Cancel,
    record: RunRecord | None,
) -> None:
    config, world = trainer.config, trainer.world
    saved = time.monotonic()
    for step, plan in zip(steps, source):
        logged = step % config.run.log_every == 0 or step + 1 == config.optim.steps
        row = trainer.step(step, plan, watched=logged)
        health = trainer.health() if logged else {}
        stopping = float(all_reduce_mean(torch.tensor(float(cancel.is_set()), device=world.device))) > 0
        if record:
            record.step(step, row, health)
            # After the record, so that the logs are complete up to the step of the checkpoint.
            if stopping or time.monotonic() - saved >= config.run.checkpoint_every_s:
                trainer.save(run, step + 1)
                saved = time.monotonic()
        if stopping and step + 1 < config.optim.steps:
            raise Cancelled(f"Stopped after step {step + 1} of {config.optim.steps}.", "Continue with --resume.")
    if world.first:
        trainer.save(run, config.optim.steps)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    parser = run_parser("training.pretrain", __doc__)
    parser.add_argument("--recipe", required=True, help="a name in training/recipes, or a .toml file")
    parser.add_argument("--data", required=True, nargs="+", type=Path, help="folders of SAR rasters")
    parser.add_argument("--out", required=True, type=Path, help="folder of the run")
    parser.add_argument("--start", type=Path, help="a run whose backbone to start from; default: random weights")
    parser.add_argument(
        "--strict", action="store_true", help="refuse images that can't be read; by default they are left out"
    )
    options = parser.parse_args(arguments)
    if int(os.environ.get("RANK", "0")):
        options.progress = SILENT  # of torchrun's processes only the first reports
    return options


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused or stopped.
    """
    began = time.monotonic()
    config = resolve(PretrainConfig, override(load_recipe(options.recipe), options.set))
    how = RunOptions(options.resume, options.strict, context=context)
    with resumable():
        pretrain(config, options.data, options.out, how, options.recipe, options.start)
    report_result(context.reporter, began, {"output": options.out})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 stopped. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    leave_processes(main())
