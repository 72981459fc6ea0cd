from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import InputError
from backend.network.vit import SarViT
from backend.radiometry.convert import normalise
from backend.stream.fill import fill_invalid
from tests.support.blocks import PATCH, backscatter, small_model, write_blocks, write_raster
from training.data.dataset import ChipFolder
from training.monitor.probe import SHARE, LabelledTokens, Probe, patch_labels

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vit() -> SarViT:
    torch.manual_seed(0)
    model = small_model()
    return SarViT(model.arch, 2, model.tile, model.patch, classes=2).eval()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4), st.integers(1, 4))
def test_a_patch_has_the_class_that_covers_most_of_it(seed: int, patch: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    label = rng.choice(
        np.array([0, 10, 80, 255], dtype=np.uint8), p=[0.1, 0.7, 0.1, 0.1], size=(rows * patch, columns * patch)
    )
    found = patch_labels(label, patch)
    assert found.shape == (rows, columns)
    for row in range(rows):
        for column in range(columns):
            part = label[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch]
            values, counts = np.unique(part, return_counts=True)
            best = int(counts.argmax())
            wanted = values[best] if counts[best] / part.size >= SHARE and values[best] else 0
            assert found[row, column] == wanted


def test_classes_are_told_apart_and_shuffled_labels_are_not(vit: SarViT, tmp_path: Path) -> None:
    write_blocks(tmp_path / "true", "abcdef")
    scores = Probe(tmp_path / "true", small_model(), 400).score(vit, CPU)
    assert set(scores) == {
        "knn_accuracy", "knn_balanced_accuracy", "knn_merged_accuracy", "knn_merged_balanced_accuracy",
        "linear_balanced_accuracy", "statistics_balanced_accuracy",
    }  # fmt: skip
    assert min(scores.values()) > 0.97
    write_blocks(tmp_path / "false", "abcdef")
    for number, name in enumerate("abcdef"):
        rng = np.random.default_rng(100 + number)
        patches = rng.choice(np.array([10, 80], dtype=np.uint8), size=(1, 8, 8))
        write_raster(tmp_path / "false" / "labels" / f"{name}.tif", np.kron(patches, np.ones((1, 8, 8), np.uint8)))
    assert Probe(tmp_path / "false", small_model(), 400).score(vit, CPU)["knn_accuracy"] < 0.65


def test_merged_groups_forgive_what_they_merge(vit: SarViT, tmp_path: Path) -> None:
    write_blocks(tmp_path, "abcdef", values=(10, 95, 80))  # trees and mangroves look alike
    scores = Probe(tmp_path, small_model(), 400).score(vit, CPU)
    assert scores["knn_accuracy"] < 0.85 and scores["knn_merged_accuracy"] > 0.97


def test_classes_with_few_patches_are_left_out(vit: SarViT, tmp_path: Path) -> None:
    write_blocks(tmp_path, "abcd", side=96)
    for name in "bd":  # 3 patches of another class in each scene of what is asked
        with rasterio.open(tmp_path / "labels" / f"{name}.tif", "r+") as file:
            label = file.read()
            label[0, :8, :24] = 30
            file.write(label)
    rows = [("a", "train"), ("b", "val"), ("c", "train"), ("d", "val")]
    (tmp_path / "splits.csv").write_text(
        "name,group,split\n" + "\n".join(f"{name},{name},{split}" for name, split in rows)
    )
    probe = Probe(tmp_path, small_model(), 1000)
    assert probe.val.values == probe.train.values == {10, 80}
    assert sum(probe.val.counts().values()) == 2 * 12 * 12 - 6
    assert probe.score(vit, CPU)["knn_balanced_accuracy"] > 0.9


def test_another_legend_has_no_merged_groups(vit: SarViT, tmp_path: Path) -> None:
    write_blocks(tmp_path, "abcd", values=(1, 80))
    probe = Probe(tmp_path, small_model(), 400)
    assert probe.columns == (
        "knn_accuracy", "knn_balanced_accuracy", "linear_balanced_accuracy", "statistics_balanced_accuracy",
    )  # fmt: skip
    assert probe.score(vit, CPU).keys() == set(probe.columns)


def test_splits_say_what_is_known_and_what_is_asked(vit: SarViT, tmp_path: Path) -> None:
    write_blocks(tmp_path, "abcd")
    for name in "bd":  # what is asked has its labels swapped, what is known is right: every answer is wrong
        path = tmp_path / "labels" / f"{name}.tif"
        with rasterio.open(path, "r+") as file:
            file.write(np.where(file.read() == 10, 80, 10).astype(np.uint8))
    rows = [("a", "train"), ("b", "val"), ("c", "train"), ("d", "val")]
    text = "name,group,split\n" + "\n".join(f"{name},{name},{split}" for name, split in rows)
    (tmp_path / "splits.csv").write_text(text)
    assert Probe(tmp_path, small_model(), 400).score(vit, CPU)["knn_accuracy"] < 0.05


def test_tokens_are_those_of_the_network_at_the_labelled_patches(vit: SarViT, tmp_path: Path) -> None:
    label = np.zeros((40, 32), dtype=np.uint8)
    label[:8, :16], label[8:16, 8:16], label[16:21, :8] = 10, 80, 80  # the last covers 5 rows of 8: too little
    db = backscatter(np.random.default_rng(0), label)
    db[:, :8, 8:16] = -9999  # not valid, so not labelled either
    write_raster(tmp_path / "images" / "a.tif", db, ("VV", "VH"), nodata=-9999)
    write_raster(tmp_path / "labels" / "a.tif", label[None])
    model = small_model()
    folder = ChipFolder(tmp_path, model.bands)
    features, values = LabelledTokens(folder, [0], model, 400).features(vit, CPU)
    assert values.tolist() == [10, 80]
    chip = folder[0]
    x = fill_invalid(normalise(chip.db[:, :32], chip.valid[:32], model.bands), chip.valid[:32])
    with torch.no_grad():
        grid = vit.tokens(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(features, np.stack([grid[:, 0, 0], grid[:, 1, 1]]), atol=1e-5)


@pytest.mark.parametrize("limit", [100, 150, 10_000])
def test_a_limit_on_tokens_is_kept_and_shared_by_scenes(vit: SarViT, tmp_path: Path, limit: int) -> None:
    write_blocks(tmp_path, "ab", side=96)
    model = small_model()
    folder = ChipFolder(tmp_path, model.bands)
    tokens = LabelledTokens(folder, [0, 1], model, limit)
    features, values = tokens.features(vit, CPU)
    assert len(features) == len(values) == min(limit, 2 * (96 // PATCH) ** 2)
    again = LabelledTokens(folder, [0, 1], model, limit).features(vit, CPU)
    assert np.array_equal(features, again[0]) and np.array_equal(values, again[1])
    if limit == 100:
        alone = LabelledTokens(folder, [0], model, limit).features(vit, CPU)[0]
        shared = {row.tobytes() for row in alone} & {row.tobytes() for row in features}
        assert 0 < len(shared) < limit


def test_folders_that_tell_nothing_are_refused(tmp_path: Path) -> None:
    model = small_model()
    with pytest.raises(InputError, match="No raster"):
        Probe(tmp_path / "nothing", model, 400)
    write_blocks(tmp_path / "one", "a")
    with pytest.raises(InputError, match="one scene"):
        Probe(tmp_path / "one", model, 400)
    write_blocks(tmp_path / "same", "ab", values=(10,))
    with pytest.raises(InputError, match="1 classes to learn from"):
        Probe(tmp_path / "same", model, 400)
    write_blocks(tmp_path / "mixed", "abcd", block=1)  # no patch is covered by one class
    with pytest.raises(InputError, match="0 classes to learn from"):
        Probe(tmp_path / "mixed", model, 400)
    write_blocks(tmp_path / "split", "ab")
    (tmp_path / "split" / "splits.csv").write_text("name,group,split\na,a,train\nb,b,test\n")
    with pytest.raises(InputError, match="split 'val'"):
        Probe(tmp_path / "split", model, 400)
