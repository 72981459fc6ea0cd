"""Test real installations with virtual environments, pip and wheels of tiny packages."""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sardino_qgis.common import plugin_files
from sardino_qgis.environment import store
from sardino_qgis.environment.errors import InstallCancelledError, InstallError
from sardino_qgis.environment.install import install
from sardino_qgis.environment.kinds import Kind, kind_of
from sardino_qgis.environment.plan import make_plan
from sardino_qgis.environment.progress import InstallFeedback, PipProgress
from sardino_qgis.environment.request import InstallRequest
from tests.support.plugin.fake_python import write_fake_python
from tests.support.tiny_packages import write_plugin, write_wheel, write_wheels

HERE = f"{sys.platform}-{platform.machine()}"
VERSION = "{}.{}".format(*sys.version_info[:2])
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses shell scripts and signals")


class Recorder(InstallFeedback):
    """Keeps log and progress; cancels as soon as a line contains `stop_at`."""

    def __init__(self, stop_at: str = "") -> None:
        self.lines: list[str] = []
        self.steps: list[tuple[float, str]] = []
        self._stop_at, self._stop = stop_at, False

    def log(self, line):
        self.lines.append(line)
        self._stop |= bool(self._stop_at) and self._stop_at in line

    def progress(self, fraction, text):
        self.steps.append((fraction, text))

    def cancelled(self):
        return self._stop


@pytest.fixture
def wheels(tmp_path) -> Path:
    folder = tmp_path / "wheels of mine"
    write_wheels(folder)
    return folder


@pytest.fixture
def plugin(tmp_path, wheels, monkeypatch) -> Path:
    """The packed plugin with lists of tiny packages; this process uses its lists and backend too."""
    made = write_plugin(tmp_path / "plugins", wheels, HERE, VERSION)
    monkeypatch.setattr(plugin_files, "plugin_folder", lambda: made)
    # Neither uv nor a graphics card, whatever this machine has.
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("SARDINO_TORCH_INDEX", raising=False)
    return made


@pytest.fixture
def older(tmp_path) -> Path:
    """A managed folder with an environment in use."""
    folder = tmp_path / "managed"
    (folder / "4").mkdir(parents=True)
    (folder / "4" / "kept").write_text("x")
    store.activate(folder / "4")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {store.LOCK}


def shell(plugin: Path, *words: str, **options) -> subprocess.Popen:
    """Run the shell command in a Python without site-packages, and so without QGIS."""
    command = [sys.executable, "-S", "-m", f"{plugin.name}.environment", *words]
    return subprocess.Popen(
        command, cwd=plugin.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


@pytest.mark.slow
def test_shell_installs_switches_and_removes_without_qgis(plugin, wheels, tmp_path):
    folder = tmp_path / "managed"
    words = ["install", "--folder", str(folder), "--wheels", str(wheels), "--python", sys.executable]
    done = shell(plugin, *words)
    said = done.communicate()[0]
    assert done.returncode == 0, said
    assert said.startswith("For mapping\n") and "OpenVINO 2024.6.0, device cpu." in said and "PyTorch" not in said
    python = store.current_interpreter(folder)
    assert python == store.interpreter_in(folder / "1") and str(python) in said
    assert "not checked" not in said and names(folder) == {"1", store.POINTER}
    assert kind_of(python) is Kind.MAPPING and not (folder / "1" / "tmp").exists()
    packages = next((folder / "1").glob("lib/python3*/site-packages"))
    assert (packages / "__pycache__").is_dir(), "compiled, so that a first run is as fast as others"
    assert not list(packages.glob("pip*"))
    assert not (packages / "numpy" / "tests").exists(), "what only installing and testing need is gone"
    assert not [path for path in sys.path if str(folder) in path]

    (wheels / "torch-2.13.0+cpu-py3-none-any.whl").unlink()
    done = shell(plugin, *words, "--kind", "pytorch")
    said = done.communicate()[0]
    assert done.returncode == 0, said
    assert "Installed there now, and replaced when the new one works: For mapping" in said
    assert "This build failed" in said and "No matching distribution found for torch==2.13.0+cpu" in said
    assert "PyTorch 2.13.0, device cpu." in said, "the listed build takes the place of the one that is not there"
    number = store.current(folder)
    assert number != "1" and names(folder) == {number, store.POINTER}, "replaced whole, the older one removed"
    assert kind_of(store.current_interpreter(folder)) is Kind.PYTORCH

    # Without a choice it is of the kind that is there, so that an upgrade takes nothing away.
    failing = write_fake_python(tmp_path / "python3", "sys.exit(3)")
    done = shell(plugin, *words[:-1], str(failing))
    said = done.communicate()[0]
    assert done.returncode == 1 and said.startswith("With PyTorch"), said
    assert names(folder) == {number, store.POINTER} and store.current(folder) == number, "a failure loses nothing"

    removed = shell(plugin, "remove", "--folder", str(folder)).communicate()[0]
    assert "Removed." in removed and names(folder) == set()


@pytest.mark.slow
def test_altered_file_ends_the_installation(plugin, wheels, older):
    write_wheel(wheels, "rasterio", "1.4.4", "altered = True")
    recorder = Recorder()
    with pytest.raises(InstallError, match="does not have the pinned hash"):
        install(make_plan(InstallRequest(older, sys.executable, str(wheels), kind=Kind.PYTORCH)), recorder)
    assert not any("This build failed" in line for line in recorder.lines), "no other build is tried after that"
    assert names(older) == {"4", store.POINTER} and (older / "4" / "kept").exists()
    assert store.current(older) == "4"


@pytest.mark.slow
def test_environment_that_fails_the_test_is_discarded(plugin, wheels, older):
    (plugin / "backend" / "__main__.py").write_text("raise SystemExit('ModuleError: the backend fails')")
    with pytest.raises(InstallError, match="the backend fails"):
        install(make_plan(InstallRequest(older, sys.executable, str(wheels))), Recorder())
    assert names(older) == {"4", store.POINTER} and store.current(older) == "4"


def test_cancel_removes_the_unfinished_environment(plugin, wheels, older, stuck):
    begun = time.monotonic()
    with pytest.raises(InstallCancelledError):
        install(make_plan(InstallRequest(older, str(stuck), str(wheels))), Recorder(stop_at="making it"))
    assert time.monotonic() - begun < 30, "the program that was running has been ended"
    assert names(older) == {"4", store.POINTER} and store.current(older) == "4"


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(plugin, folder, wheels, stuck):
    """Start an installation in another process, and wait until it is creating the environment."""
    done = shell(plugin, "install", "--folder", str(folder), "--wheels", str(wheels), "--python", str(stuck))
    wait_for((folder / "5" / "half").is_dir)
    return done


def test_killed_installation_keeps_the_older_environment(plugin, wheels, older, stuck):
    process = running(plugin, older, wheels, stuck)
    with pytest.raises(InstallError, match=rf"Another installation .* \(process {process.pid}\)"):
        install(make_plan(InstallRequest(older, sys.executable, str(wheels))), Recorder())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert store.current(older) == "4" and names(older) == {"4", "5", store.POINTER}
    with store.exclusive(older):  # the lock of the dead process
        store.sweep(older)
    assert names(older) == {"4", store.POINTER}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_shell_command_cleanly(plugin, wheels, older, stuck, number):
    process = running(plugin, older, wheels, stuck)
    process.send_signal(number)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and "nothing was changed" in said
    assert names(older) == {"4", store.POINTER} and store.current(older) == "4"


def test_lock_is_exclusive_and_names_its_holder(tmp_path):
    with store.exclusive(tmp_path):
        with pytest.raises(store.BusyError) as caught, store.exclusive(tmp_path):
            pass
        assert caught.value.process == str(os.getpid())
    with store.exclusive(tmp_path):
        pass


def test_invalid_pointer_is_ignored(tmp_path):
    for text in ("../../elsewhere", "", "\xff", "1 2"):
        (tmp_path / store.POINTER).write_text(text, encoding="latin-1")
        assert store.current(tmp_path) == ""


def test_too_little_space_is_reported_before_downloading(plugin, wheels, older, monkeypatch):
    plan = make_plan(InstallRequest(older, sys.executable, str(wheels), kind=Kind.PYTORCH))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    with pytest.raises(InstallError, match=r"100 MB are free .* about [0-9]+ MB are needed"):
        install(plan, Recorder())
    assert names(older) == {"4", store.POINTER}


def test_a_disk_that_fills_up_keeps_the_older_environment(plugin, wheels, older, tmp_path):
    base = write_fake_python(
        tmp_path / "python3",
        """
        if "venv" in sys.argv:
            made = pathlib.Path(sys.argv[-1], "bin")
            made.mkdir()
            shutil.copy(__file__, made / "python")
        else:
            pathlib.Path(sys.argv[0]).with_name("half of a package").write_bytes(bytes(1000))
            print("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", flush=True)
            sys.exit(1)
        """,
    )
    recorder = Recorder()
    with pytest.raises(InstallError, match="The disk filled up: .*No space left on device") as caught:
        install(make_plan(InstallRequest(older, str(base), str(wheels), kind=Kind.PYTORCH)), recorder)
    assert re.search(r"About [0-9.]+ [MG]B are needed in all. Free some space", caught.value.hint)
    assert not any("This build failed" in line for line in recorder.lines), "another build is as large"
    assert names(older) == {"4", store.POINTER} and (older / "4" / "kept").exists() and store.current(older) == "4"


@pytest.mark.parametrize("raw", [False, True])
def test_progress_follows_pip_whether_it_tells_bytes_or_files(tmp_path, raw):
    recorder = Recorder()
    progress = PipProgress(recorder, tmp_path, 60_000_000)
    for name, size in (("one", 20), ("two", 40)):
        progress.take(f"  Downloading {name}-1.0-cp311-cp311-win_amd64.whl ({size}.0 MB)\n")
        for done in (0, size // 2, size) if raw else ():
            assert progress.take(f"Progress {done}000000 of {size}000000"), "not for the log"
    progress.take("Installing collected packages: one, two")
    fractions = [fraction for fraction, _ in recorder.steps]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(0.9)
    assert ("20 MB of about 60 MB" in recorder.steps[-3][1]) is not raw
