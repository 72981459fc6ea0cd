"""Scan files in threads and in processes, with equal results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from backend.core.errors import InputError, UnreadableError
from backend.radiometry.units import Units
from tests.support.geotiffs import BANDS, PLACED, land, toml, write
from training.data import scan_many as module
from training.data.dataset_toml import FolderFacts
from training.data.file_entry import FileEntry, entry_of, text_of
from training.data.listing import list_rasters
from training.data.scan_many import scan_many
from training.data.scan_process import ScanProcess
from training.data.scenes import find_scenes


@pytest.fixture
def folder(tmp_path):
    """Write files of one and of two polarisations, some with nodata and filling, and one that is no raster."""
    for seed in range(8):
        values = land(seed, 60)
        values[:, : 4 * seed] = -99
        write(tmp_path / f"b{seed}.tif", values, ("VV", "VH"), **PLACED)
    write(tmp_path / "é_VV.tif", land(8, 60, 1), **PLACED)
    write(tmp_path / "é_VH.tif", land(9, 60, 1) - 7, **PLACED)
    (tmp_path / "c.tif").write_text("no raster")
    toml(tmp_path, "nodata = [-99]\nscale = 0.9\npixel_size_m = 20.0\n")
    return tmp_path


def scanned(folder, processes: bool, monkeypatch, units=Units.AUTO) -> list:
    """Scan all files of a folder with two threads, or two processes."""
    monkeypatch.setattr(module, "thread_count", lambda: 2)
    monkeypatch.setattr(module, "FILES_PER_PROCESS", 1 if processes else 10_000)
    files, _ = find_scenes(list_rasters(folder), BANDS)
    return list(scan_many(files, sorted(files), FolderFacts.load(folder / "dataset.toml"), BANDS, units))


def test_processes_find_what_threads_find(folder, monkeypatch):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    alone, shared = (scanned(folder, processes, monkeypatch) for processes in (False, True))
    assert [type(found) for found in alone] == [FileEntry] * 8 + [UnreadableError, FileEntry]
    assert alone[3].coverage and alone[3].pixels == 60 * 48 and alone[-1].numbers == (1, 2)
    for one, other in zip(alone, shared):
        assert str(one) == str(other) and type(one) is type(other)
        assert not isinstance(one, UnreadableError) or one.hint == other.hint
    if before:
        assert len(os.listdir("/proc/self/fd")) == before  # no pipe is left open


@pytest.mark.parametrize("processes", [False, True])
def test_a_file_that_can_not_be_used_is_refused_by_name(folder, processes, monkeypatch):
    write(folder / "b4.tif", np.abs(land(0, 60)) * 40 + 300, ("VV", "VH"), **PLACED)
    with pytest.raises(InputError, match=r"b4\.tif: .*uncalibrated digital numbers") as raised:
        scanned(folder, processes, monkeypatch)
    assert "Calibrate the product" in raised.value.hint and "dataset.toml" in raised.value.hint


def test_files_are_scanned_though_a_process_has_died(folder, monkeypatch):
    def dead(process, name, files):
        process._process.kill()
        process._process.wait()
        return whole(process, name, files)

    alone = scanned(folder, False, monkeypatch)
    whole = ScanProcess.scan
    monkeypatch.setattr(ScanProcess, "scan", dead)
    assert list(map(str, scanned(folder, True, monkeypatch))) == list(map(str, alone))


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_process_outlives_signals_and_ends_with_its_input(folder):
    process = ScanProcess(FolderFacts.load(folder / "dataset.toml"), BANDS, Units.AUTO)
    files, _ = find_scenes(list_rasters(folder), BANDS)
    assert process.scan("b1", files["b1"]).pixels == 60 * 56
    for number in (signal.SIGINT, signal.SIGTERM):
        process._process.send_signal(number)
    assert process.scan("b2", files["b2"]).pixels == 60 * 52 and process._process.poll() is None
    process.close()
    assert process._process.returncode == 0


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for processes in /proc")
def test_processes_end_with_a_run_that_is_killed(folder):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom training.data.scan_process import ScanProcess\n"
        "from training.data.dataset_toml import FolderFacts\nfrom backend.radiometry.units import Units\n"
        "from tests.support.geotiffs import BANDS\n"
        "print(ScanProcess(FolderFacts(), BANDS, Units.AUTO)._process.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as run:
        child = int(run.stdout.readline())
        run.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and _runs(child):
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_an_entry_is_read_as_it_was_written(folder, monkeypatch):
    for entry in scanned(folder, False, monkeypatch):
        if isinstance(entry, FileEntry):
            assert entry_of(json.loads(text_of(entry))) == entry
