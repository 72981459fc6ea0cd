"""Resume runs that were stopped or killed, bit by bit; workers and processes change nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.support.pretraining import assert_same, command, rows, tensors
from training.dino.trainer import Trainer
from training.pretrain import main
from training.views.crops import ViewPlan

LEVELS = (
    "dino.levels_weight=0.5", "dino.levels_first=0.5", "dino.levels_scales=[8, 24]", "dino.koleo_weight=0.1",
    'model.arch={timm="vit_tiny_patch16_224",embed_dim=16,depth=2,heads=2,stem="conv",positions="none"}',
)  # fmt: skip


@pytest.mark.parametrize(
    "options", [(), ("dino.centring=sinkhorn", "dino.ibot_weight=1", "dino.koleo_weight=0.1"), LEVELS]
)
def test_a_stopped_run_resumes_bit_by_bit(
    recipe: Path, data: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    assert main(command(recipe, data, straight, *options)) == 0
    real = Trainer.step

    def step(self: Trainer, number: int, plan: ViewPlan, watched: bool = True) -> dict[str, float]:
        if number == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, number, plan, watched)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", step)
        assert main(command(recipe, data, broken, *options)) == 130
    assert len(rows(broken)) == 4
    assert main(command(recipe, data, broken, *options, resume=True)) == 0
    assert ("loss_koleo" in rows(broken)[0]) == bool(options)
    assert_same(straight, broken)
    assert rows(straight) == rows(broken)


def test_a_killed_run_resumes_bit_by_bit_whatever_the_workers(
    recipe: Path, data: list[Path], tmp_path: Path, repo_root: Path
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    # With what else has a state: mask token, centre of patches, and a head of their own.
    options = ["optim.steps=40", "dino.koleo_weight=0.1", "dino.ibot_weight=1", "dino.ibot_shared_head=false"]
    often = [*options, "run.checkpoint_every_s=0", "run.workers=1"]
    assert main(command(recipe, data, straight, *options)) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "training.pretrain", *command(recipe, data, broken, *often)],
        cwd=repo_root,
        # Another number of threads would change the last bits of sums.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not (broken / "checkpoint" / "state.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = json.loads((broken / "checkpoint" / "state.json").read_text())["step"]
    assert 0 < done < 40
    assert main(command(recipe, data, broken, *options, resume=True)) == 0  # its loader workers may still be ending
    assert_same(straight, broken)


def test_two_processes_give_the_loss_of_one(recipe: Path, data: list[Path], tmp_path: Path, repo_root: Path) -> None:
    settings = ["dino.drop_path=0", "optim.steps=4"]  # which paths are dropped differs by process
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(command(recipe, data, one, *settings)) == 0
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        + ["-m", "training.pretrain", *command(recipe, data, two, *settings)],
        cwd=repo_root,
        env={**os.environ, "OMP_NUM_THREADS": "1", "SARDINO_CACHE": str(tmp_path)},  # so that both look at the data
        check=True,
        capture_output=True,
        timeout=120,
    )
    for first, second in zip(rows(one), rows(two)):
        for name in ("loss", "teacher_entropy", "information", "spread", "grad_norm"):
            assert float(first[name]) == pytest.approx(float(second[name]), rel=1e-3, abs=1e-5), name
    centre = "loss.centring.value"
    torch.testing.assert_close(tensors(one)[centre], tensors(two)[centre], rtol=1e-3, atol=1e-6)
