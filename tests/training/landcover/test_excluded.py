"""Labels that exclude a class, the merged legend, and weights of folders."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backend.card.model_card import Band, LandCoverClass
from backend.core.errors import InputError
from tests.support.two_classes import make_folder
from training.landcover.chips import IGNORE, LabelledChip, Legend, excluded
from training.landcover.data import load_data
from training.landcover.loss import LandCoverLoss, count_pixels
from training.landcover.merged import MERGED_CLASSES, merged_value
from training.run.finetune_config import FinetuneConfig

BANDS = (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))
CLASSES = [LandCoverClass(10 * i + 10, f"class {i}", "#000000", group) for i, group in enumerate("aab")]


def loss_of(group_weight: float = 0.0) -> LandCoverLoss:
    return LandCoverLoss(CLASSES, [1, 1, 1], "none", 0.0, group_weight)


def logits_of(seed: int = 0) -> torch.Tensor:
    return torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(seed), requires_grad=True)


def test_the_target_of_an_exclusion_is_its_own_inverse():
    targets = [excluded(index) for index in range(5)]
    assert max(targets) < IGNORE and [excluded(target) for target in targets] == list(range(5))
    table = Legend({10: 0, 80: 1}).table([(3, 80), (4, 70)])
    assert (table[10], table[80], table[3], table[4], table[0]) == (0, 1, excluded(1), IGNORE, IGNORE)


@pytest.mark.parametrize("group_weight", [0.0, 1.0])
def test_excluding_costs_the_log_of_the_rest_and_lowers_it(group_weight):
    logits = logits_of()
    loss = loss_of(group_weight)(logits, torch.full((1, 2, 2), excluded(1)))
    rest = 1 - logits.softmax(dim=1)[:, 1]
    torch.testing.assert_close(loss, -rest.log().mean())
    loss.backward()
    # A step against the gradient lowers the logit of that class and raises those of the others.
    assert bool((logits.grad[:, 1] > 0).all()) and bool((logits.grad[:, [0, 2]] < 0).all())
    moved = (logits - 0.1 * logits.grad).softmax(dim=1)
    before = logits.softmax(dim=1)
    assert bool((moved[:, 1] < before[:, 1]).all())
    # What is known of the others stays as likely relative to each other as the loss saw it.
    share = logits.grad[:, [0, 2]] / before[:, [0, 2]]
    torch.testing.assert_close(share[:, 0], share[:, 1])


def test_known_and_excluding_pixels_are_averaged_together():
    logits, targets = logits_of(3), torch.tensor([[[0, excluded(2)], [IGNORE, 1]]])
    log_p = logits.log_softmax(dim=1)[0]
    each = [-log_p[0, 0, 0], -(1 - log_p[2, 0, 1].exp()).log(), -log_p[1, 1, 1]]
    torch.testing.assert_close(loss_of()(logits, targets), torch.stack(each).mean())


def test_excluding_pixels_are_no_pixels_of_a_class():
    target = np.array([[0, excluded(1)], [excluded(0), IGNORE]], dtype=np.int16)
    chip = LabelledChip(np.zeros((2, 2, 2), dtype=np.float16), target, 0.0)
    assert count_pixels([chip], 2) == [0.25, 0.0]


def test_a_folder_says_which_labels_exclude(tmp_path):
    folder = make_folder(tmp_path)
    facts = folder / "dataset.toml"
    # As in a mask of open water in which land is all that is not water.
    facts.write_text("label_codes = [[80, 80], [10, 1]]\nnot_labels = [[1, 80]]\n" + facts.read_text())
    found = load_data([folder], BANDS, FinetuneConfig())
    assert [item.value for item in found.classes] == [80]
    assert {int(v) for chip in found.train for v in np.unique(chip.target)} == {0, excluded(0)}


def test_the_merged_legend_has_four_classes():
    assert [item.value for item in MERGED_CLASSES] == [10, 30, 50, 80]
    assert [merged_value(v) for v in (10, 95, 20, 30, 40, 60, 100, 50, 80, 7)] == [
        10, 10, 30, 30, 30, 30, 30, 50, 80, None,
    ]  # fmt: skip


def test_values_are_merged_and_unknown_ones_refused(tmp_path):
    folder = make_folder(tmp_path)
    facts = folder / "dataset.toml"
    facts.write_text(facts.read_text().replace("value = 10", "value = 95") + "")
    text = facts.read_text()
    facts.write_text("label_codes = [[10, 95], [80, 80]]\n" + text)
    found = load_data([folder], BANDS, FinetuneConfig(legend="merged"))
    assert [(item.value, item.name) for item in found.classes] == [
        (10, "Tree cover"), (80, "Water or very smooth surface"),
    ]  # fmt: skip
    assert {int(v) for chip in found.train for v in np.unique(chip.target)} == {0, 1}
    facts.write_text(text.replace("value = 50", "value = 51"))
    with pytest.raises(InputError, match="Class 51 .* is not in the WorldCover legend"):
        load_data([folder], BANDS, FinetuneConfig(legend="merged"))


def test_weights_replace_those_of_folders_which_must_exist(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        make_folder(folder)
    found = load_data([one, other], BANDS, FinetuneConfig(weights=(("other", 3.0),)))
    half = len(found.train) // 2
    light, heavy = (sum(chip.weight for chip in part) for part in (found.train[:half], found.train[half:]))
    assert heavy == pytest.approx(3 * light)
    with pytest.raises(InputError, match="weights has 'elsewhere', no data folder"):
        load_data([one], BANDS, FinetuneConfig(weights=(("elsewhere", 1.0),)))
    with pytest.raises(InputError, match="weights of all data folders are 0"):
        load_data([one], BANDS, FinetuneConfig(weights=(("one", 0.0),)))
