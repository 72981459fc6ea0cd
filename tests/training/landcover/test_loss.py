"""Test the loss of fine-tuning: balance, groups, and how chips are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from backend.card.model_card import Band, LandCoverClass
from backend.core.errors import InputError
from tests.support.two_classes import make_folder
from training.data.dataset import ChipFolder
from training.landcover.chips import CropSampler, LabelledChip, Legend, load_labelled
from training.landcover.data import load_data, merge_legends
from training.landcover.loss import IGNORE, LandCoverLoss, balance, count_pixels
from training.run.finetune_config import CropAugmentConfig, FinetuneConfig

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


def legend(*groups: str) -> list[LandCoverClass]:
    return [LandCoverClass(10 * i + 10, f"class {i}", "#000000", group) for i, group in enumerate(groups)]


def batch(classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, classes, 5, 7, generator=generator, requires_grad=True)
    targets = torch.randint(0, classes, (2, 5, 7), generator=generator)
    targets[0, :2] = IGNORE
    return logits, targets


@pytest.mark.parametrize("how", ["none", "sqrt", "inverse"])
def test_balance_averages_to_one_over_pixels(how):
    weights = balance([80, 20], how)
    assert float(weights @ torch.tensor([0.8, 0.2])) == pytest.approx(1)
    assert float(weights[1] / weights[0]) == pytest.approx({"none": 1, "sqrt": 2, "inverse": 4}[how])


def test_without_groups_it_is_the_cross_entropy_of_classes():
    logits, targets = batch(3)
    loss = LandCoverLoss(legend("", "", ""), [1, 1, 1], "none", 0.1, 1.0)(logits, targets)
    wanted = F.cross_entropy(logits, targets, ignore_index=IGNORE, label_smoothing=0.1)
    assert torch.allclose(loss, wanted)


def test_the_group_term_is_cross_entropy_of_summed_probabilities():
    logits, targets = batch(4)
    groups = torch.tensor([0, 1, 1, 2])
    loss = LandCoverLoss(legend("tree", "open", "open", ""), [1, 1, 1, 1], "none", 0.0, 0.5)(logits, targets)
    chances = logits.softmax(dim=1)
    summed = torch.stack([chances[:, groups == g].sum(dim=1) for g in range(3)], dim=1)
    known = targets != IGNORE
    wanted = F.nll_loss(summed.log().movedim(1, -1)[known], groups[targets[known]])
    assert torch.allclose(loss, F.cross_entropy(logits, targets, ignore_index=IGNORE) + 0.5 * wanted)
    loss.backward()
    assert torch.isfinite(logits.grad).all() and not logits.grad[0, :, :2].any()


def test_groups_are_balanced_by_the_pixels_of_their_classes():
    loss = LandCoverLoss(legend("a", "b", "b"), [60, 20, 20], "sqrt", 0.0, 1.0)
    assert torch.allclose(loss.group_weights, balance([60, 40], "sqrt"))


def test_confusion_within_a_group_costs_the_group_term_nothing():
    logits, targets = torch.full((1, 3, 1, 1), -20.0), torch.tensor([[[1]]])
    logits[0, 2] = 20.0
    with_groups = LandCoverLoss(legend("a", "b", "b"), [1, 1, 1], "none", 0.0, 1.0)(logits, targets)
    without = LandCoverLoss(legend("a", "b", "b"), [1, 1, 1], "none", 0.0, 0.0)(logits, targets)
    assert float(with_groups) == pytest.approx(float(without), abs=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


def test_a_folder_with_a_higher_weight_is_drawn_more_often(folder, tmp_path_factory):
    heavy = make_folder(tmp_path_factory.mktemp("heavy"))
    facts = heavy / "dataset.toml"
    facts.write_text("weight = 3.0\n" + facts.read_text())
    folders = [ChipFolder(folder, BANDS, "train"), ChipFolder(heavy, BANDS, "train")]
    chips = load_labelled(folders, Legend({10: 0, 80: 1}))
    half = len(chips) // 2
    light = sum(chip.weight for chip in chips[:half])
    assert sum(chip.weight for chip in chips[half:]) == pytest.approx(3 * light)
    assert count_pixels(chips, 2) == pytest.approx([4 * n for n in count_pixels(chips[:half], 2)])
    # What is drawn is what was cut: the sampler finds the chips by these weights.
    sampler = CropSampler(chips, BANDS, 32, CropAugmentConfig(), seed=0)
    assert np.isclose(sampler._share[half:].sum(), 0.75)


def test_a_chip_left_out_is_not_loaded_and_must_exist(folder):
    names = ChipFolder(folder, BANDS, "train").names
    every, fewer = (load_data([folder], BANDS, FinetuneConfig(leave_out=left)) for left in ((), (names[0],)))
    assert len(fewer.train) == len(every.train) - 1
    with pytest.raises(Exception, match="No chip is called 'elsewhere'"):
        load_data([folder], BANDS, FinetuneConfig(leave_out=("elsewhere",)))


def test_a_chip_in_a_sub_folder_is_left_out_by_its_name(tmp_path):
    folder = make_folder(tmp_path)
    (folder / "splits.csv").unlink()
    for kind in ("images", "labels"):
        (folder / kind / "east").mkdir()
        (folder / kind / "3.tif").rename(folder / kind / "east" / "3.tif")
    every, fewer = (load_data([folder], BANDS, FinetuneConfig(leave_out=left)) for left in ((), ("east/3",)))
    assert len(fewer.train) == len(every.train) - 1


def test_a_large_chip_counts_as_much_as_what_is_drawn_from_it():
    chips = [
        LabelledChip(np.zeros((2, side, side), dtype=np.float16), np.full((side, side), index, dtype=np.int16), 0.0)
        for index, side in enumerate((16, 160))
    ]
    counts = count_pixels(chips, 2)
    _, targets = CropSampler(chips, BANDS, 16, CropAugmentConfig(), seed=0).batch(0, 400)
    assert counts[1] / counts[0] == pytest.approx(float((targets == 1).sum() / (targets == 0).sum()), rel=0.3)


def test_groups_of_folders_are_merged_and_must_agree(tmp_path):
    folders = []
    for name, group in (("plain", ""), ("grouped", "wet"), ("other", "dry")):
        (tmp_path / name).mkdir()
        facts = make_folder(tmp_path / name) / "dataset.toml"
        facts.write_text(facts.read_text() + (f'group = "{group}"\n' if group else ""))  # the last class, water
        folders.append(ChipFolder(tmp_path / name, BANDS))
    assert [item.group for item in merge_legends(folders[:2])] == ["", "", "wet"]
    with pytest.raises(InputError, match="'wet' in one folder .*'dry'"):
        merge_legends(folders)
