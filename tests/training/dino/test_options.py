"""What later work added to DINO, each through a whole training: processes, resuming, precision, registers."""

import csv
import dataclasses
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from backend.core.errors import InputError
from backend.network.weights import load_model
from tests.support.two_classes import make_folder
from training.dino.backbone import load_backbone
from training.dino.trainer import Trainer
from training.draws.batches import StepBatches
from training.draws.store import ChipStore
from training.finetune import main as finetune
from training.pretrain import pretrain
from training.run.distributed import World
from training.run.pretrain_config import DinoConfig
from training.views.masking import step_masks

HERE = Path(__file__).resolve().parent
ALONE = World(0, 1, torch.device("cpu"))


def _worker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("two_process_worker", HERE / "two_process_worker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WORKER = _worker()


@pytest.mark.slow
def test_two_processes_give_the_losses_and_gradients_of_one(tmp_path: Path) -> None:
    few = WORKER.config_of("few_masks").dino
    halves = [[step_masks(0, s, range(a, a + 3), (4, 4), few).any() for a in (0, 3)] for s in range(WORKER.STEPS)]
    assert [True, False] in halves or [False, True] in halves
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        + [str(HERE / "two_process_worker.py"), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[2])},
        check=True,
        capture_output=True,
        timeout=120,
    )
    two = load_file(tmp_path / "found.safetensors")
    one = {name: value for case in WORKER.CASES for name, value in WORKER.run(case, ALONE).items()}
    assert one.keys() == two.keys()
    assert "sinkhorn.0.gradient.mask_token" in one and "ema_own_head.objective.patch_centring.value" in one
    for name, value in one.items():
        scale = float(value.abs().max())
        torch.testing.assert_close(
            two[name], value, rtol=1e-3, atol=1e-3 * scale + 1e-7, msg=lambda m, n=name: f"{n} {m}"
        )


def test_the_loss_is_the_weighted_sum_of_its_parts() -> None:
    config = WORKER.config_of("sinkhorn")
    trainer = Trainer(config, ALONE)
    row = trainer.step(0, WORKER.batch_of(0, config))
    assert trainer.columns == ("loss_dino", "loss_ibot", "loss_koleo") == tuple(row)[2:]
    assert row["loss"] == pytest.approx(row["loss_dino"] + row["loss_ibot"] + 0.1 * row["loss_koleo"], rel=1e-5)
    plain = dataclasses.replace(WORKER.config_of("sinkhorn"), dino=DinoConfig(out_dim=16))
    assert Trainer(plain, ALONE).columns == ()


@pytest.mark.parametrize("case", ["sinkhorn", "ema_own_head", "levels", "levels_first", "standardised"])
def test_a_resumed_run_is_that_of_a_straight_one_bit_by_bit(case: str, tmp_path: Path) -> None:
    config = WORKER.config_of(case)
    straight, first, second = (Trainer(config, ALONE) for _ in range(3))
    expected = [straight.step(s, WORKER.batch_of(s, config)) for s in range(4)]
    got = [first.step(s, WORKER.batch_of(s, config)) for s in range(2)]
    first.save(tmp_path, 2)
    assert second.restore(tmp_path) == 2
    torch.manual_seed(99)
    got += [second.step(s, WORKER.batch_of(s, config)) for s in (2, 3)]
    assert got == expected
    for one, other in zip(straight.pair.state_dict().values(), second.pair.state_dict().values()):
        assert torch.equal(one, other)
    assert not any("mask_token" in name for name in load_file(tmp_path / "backbone.safetensors"))
    assert any(
        name == "network.student.mask_token" for name in load_file(next((tmp_path / "checkpoint").glob("*.saf*")))
    )


def test_while_levels_alone_are_learnt_nothing_else_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    config = WORKER.config_of("levels_first")
    trainer = Trainer(config, ALONE)
    before = {name: p.clone() for name, p in trainer.pair.student.head.named_parameters()}
    asked = []
    real = trainer.pair.teacher.forward
    monkeypatch.setattr(trainer.pair.teacher, "forward", lambda *a: asked.append(1) or real(*a))
    row = trainer.step(0, WORKER.batch_of(0, config), watched=False)
    assert not asked and row["loss"] == pytest.approx(0.5 * row["loss_levels"])
    assert np.isnan([row["loss_dino"], row["loss_ibot"], row["loss_koleo"]]).all()
    decayed = 1 - 0.04 * 0.04 * 6 / 256
    for name, p in trainer.pair.student.head.named_parameters():
        # Weight decay alone moves the head, and its last layer is frozen.
        kept = before[name] * (decayed if name.endswith("weight") else 1)
        torch.testing.assert_close(p.detach(), kept)
    trainer.step(1, WORKER.batch_of(1, config), watched=True)
    assert len(asked) == 1 and set(trainer.health()) == {"teacher_entropy", "information", "spread"}
    row = trainer.step(2, WORKER.batch_of(2, config), watched=False)
    assert len(asked) == 2 and np.isfinite(list(row.values())).all()


def test_local_views_are_drawn_only_where_tokens_are_compared(tmp_path: Path) -> None:
    make_folder(tmp_path)
    config = WORKER.config_of("levels_first")
    store = ChipStore([tmp_path], config.model.bands, 1.0, "", False)
    batches = StepBatches(store, config)
    assert [len(batches[step].views) for step in range(4)] == [1, 1, 2, 2]
    assert all(batches[step].mask is not None for step in range(4))


def test_bfloat16_learns_alike_and_a_run_keeps_its_precision(tmp_path: Path) -> None:
    plain, mixed = (Trainer(WORKER.config_of("sinkhorn", precision=p), ALONE) for p in ("auto", "bfloat16"))
    assert (plain.precision, mixed.precision) == ("float32", "bfloat16")
    for step in range(2):
        one, other = (t.step(step, WORKER.batch_of(step, plain.config)) for t in (plain, mixed))
        assert one["loss"] != other["loss"] and other["loss"] == pytest.approx(one["loss"], rel=0.05)
    assert all(p.dtype == torch.float32 and p.grad.dtype == torch.float32
               for p in mixed.pair.student.parameters() if p.requires_grad)  # fmt: skip
    mixed.save(tmp_path, 2)
    with pytest.raises(InputError, match="uses bfloat16, not float32") as refused:
        plain.restore(tmp_path)
    assert "run.precision=bfloat16" in refused.value.hint
    assert Trainer(WORKER.config_of("sinkhorn", precision="bfloat16"), ALONE).restore(tmp_path) == 2


@pytest.mark.slow
def test_registers_go_from_pre_training_to_attention(tmp_path: Path) -> None:
    data, run, model = tmp_path / "data", tmp_path / "run", tmp_path / "model"
    data.mkdir()
    make_folder(data)
    config = WORKER.config_of("sinkhorn", registers=4, log_every=1)
    pretrain(config, [data], run)
    with (run / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 and all(np.isfinite(float(row[name])) for row in rows for name in ("loss_ibot", "loss_koleo"))
    backbone, facts = load_backbone(run, tile=48)  # not the size trained with: positions are interpolated
    assert facts["arch"]["registers"] == 4 and backbone.num_prefix_tokens == 5
    settings = ["tile=48", "head_dim=32", "batch=2", "steps=2", "val_every=2", "device=cpu"]
    arguments = ["--backbone", str(run), "--data", str(data), "--out", str(model)]
    assert finetune([*arguments, *(word for s in settings for word in ("--set", s))]) == 0
    network, card = load_model(model)
    assert card.arch.registers == 4
    x = torch.randn(2, 2, 48, 48)
    with torch.no_grad():
        attention, logits, tokens = network.attention(x), network(x), network.tokens(x)
    assert attention.shape == (2, 2, 6, 6) and logits.shape == (2, 2, 48, 48) and tokens.shape == (2, 16, 6, 6)
    # The class token attends to itself and the registers too, so that what patches get is less than all.
    assert 0 < float(attention.sum(dim=(2, 3)).max()) < 1
