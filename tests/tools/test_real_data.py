"""Real data sets arranged as data folders: their names, and the files of one place."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from tests.support.geotiffs import land, write
from tools.real_data import arrange
from training.data.dataset import ChipFolder
from training.data.splits import read_splits
from training.run.common_config import ModelConfig


def test_dates_of_a_site_and_of_a_burst_are_places(tmp_path, repo_root):
    source = tmp_path / "source"
    for date, seed in (("before", 0), ("after", 10)):
        for site in (1, 2):
            stretched = np.clip(land(seed + site, 24, 1) * 9 + 200, 1, 254).astype(np.uint8)
            write(source / "ombria" / date / f"000{site}.png", stretched)
    for folder, value in (("weak_before", 1), ("weak_after", 3), ("flood", 1)):
        for site in (1, 2):
            label = np.zeros((24, 24), dtype=np.uint8)
            label[:, 12:] = value
            write(source / "ombria" / folder / f"000{site}.png", label)
    (source / "ombria" / "sites.csv").write_text("name,group,split,flood\n0001,3,train,1\n0002,4,val,0\n")
    for day in ("20211119", "20211125"):
        write(source / "opera_rtc_30m" / f"T137-292319-IW2_{day}.tif", land(int(day)), ("VV", "VH"))
    made = {folder.name: ChipFolder(folder, ModelConfig().bands) for folder in arrange(source, tmp_path / "out")}
    assert list(made) == ["ombria", "ombria_flood", "opera_rtc_30m"]
    sites = made["ombria"]
    assert sites.places == {"after/0001": "0001", "after/0002": "0002", "before/0001": "0001", "before/0002": "0002"}
    assert [row["name"] for row in read_splits(sites.root) if row["split"] == "val"] == ["before/0002", "after/0002"]
    assert {name: set(np.unique(chip.label)) for name, chip in zip(sites.names, sites)} == {
        "after/0001": {0, 3}, "after/0002": {0, 3}, "before/0001": {0, 1}, "before/0002": {0, 1},
    }  # fmt: skip
    flood = made["ombria_flood"]
    assert [(name, set(np.unique(chip.label))) for name, chip in zip(flood.names, flood)] == [
        ("0001", {1, 2}), ("0002", {1, 2}),
    ]  # fmt: skip
    assert [item.name for item in flood.facts.classes] == ["not flooded", "flooded"]
    assert ChipFolder(sites.root, ModelConfig().bands, "train").names == ["after/0001", "before/0001"]
    assert set(made["opera_rtc_30m"].places.values()) == {"T137-292319-IW2"}
    command = [sys.executable, "-m", "tools.real_data", str(source), str(tmp_path / "out")]
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True)  # once more, over what is there
    assert done.stdout.split() == [str(tmp_path / "out" / name) for name in made]
    command[-2] = str(tmp_path / "none")
    done = subprocess.run(command, cwd=repo_root, capture_output=True, text=True)
    assert done.returncode == 1 and "None of ombria, " in done.stderr
