"""The comparison with other programs: our own engines everywhere, the peers where their environment exists."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow
PEERS = {"monai", "terratorch", "geoai", "onnx", "torchgeo"}
SMALL = ["--megapixels", "0.12", "--rounds", "1", "--reference-megapixels", "0.02", "--threads", "1"]


@pytest.mark.parametrize("peers", [set(), PEERS], ids=["ours alone", "peers"])
def test_contenders_map_much_the_same(benchmark, repo_root, tmp_path, peers):
    if peers and not (repo_root / "build" / "peers" / "venv" / "bin" / "python").exists():
        pytest.skip("no peers' environment (python -m benchmarks.peers --setup)")
    done = benchmark("peers", "--only", *peers, *SMALL, "--json", tmp_path / "p.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "p.json").read_text())
    rows = found["contenders"]
    assert rows.keys() == {"ours", "ours-pytorch", "ours-int8"} | peers
    for name, row in rows.items():
        assert row["failed"] is None and row["tiles"] == 4, name
        assert 0 < row["seconds"] < row["whole_s"] and row["peak_mib"] > 100
        assert row["as_ours"] > (0.98 if name in ("ours", "ours-pytorch") else 0.85)
        assert 0.85 < row["as_reference"] <= 1
        assert 0 < row["seams_down"] < 20 and 0 < row["seams_across"] < 20
    assert rows["ours"]["as_ours"] == rows["ours"]["ratio"] == rows["ours"]["peak_ratio"] == 1
    assert all(name in done.stdout for name in rows)
