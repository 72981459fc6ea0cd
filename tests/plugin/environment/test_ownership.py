"""Installations and removals leave the files of others alone, and nothing that they started outlives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sardino_qgis.environment import guard, ownership, store
from sardino_qgis.environment.errors import InstallError
from sardino_qgis.environment.install import install
from sardino_qgis.environment.plan import make_plan, refuse_foreign
from sardino_qgis.environment.progress import InstallFeedback
from sardino_qgis.environment.request import InstallRequest
from tests.support.plugin.fake_python import write_fake_python

ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(os.name == "nt", reason="signals and links of POSIX")


def tree(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder)): "link" if path.is_symlink() else path.read_text() for path in paths}


def write(folder: Path, *names: str, text: str = "theirs") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def call(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "sardino_qgis.environment", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def venv(folder: Path) -> Path:
    """Write what an earlier version left of an installed environment, as far as it is looked at."""
    return write(folder, "pyvenv.cfg", "bin/python", "lib/python3.12/site-packages/torch.py")


def test_a_source_of_pytorch_is_refused_for_mapping(tmp_path):
    done = call("install", "--folder", tmp_path / "new", "--torch-index", tmp_path)
    assert done.returncode == 1 and "Add --kind pytorch." in done.stderr and not (tmp_path / "new").exists()


def test_the_shell_commands_leave_a_folder_of_others(tmp_path):
    folder = write(tmp_path / "data", "2021/scene.tif", "2022/scene.tif", store.POINTER, text="2021\n")
    before = tree(folder)
    done = call("install", "--folder", folder, "--python", sys.executable, "--wheels", tmp_path)
    assert done.returncode == 1 and "holds 2021, which was not made by this plugin" in done.stderr
    removed = call("remove", "--folder", folder)
    assert removed.returncode == 0 and "There is no environment" in removed.stdout
    assert tree(folder) == before


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["2021/scene.tif", "2022/scene.tif"], "theirs"),
        (["2021/scene.tif", store.POINTER], "2021\n"),
        (["2021/scene.tif", store.POINTER, store.LOCK], "2021\n"),
        (["2021/pyvenv.cfg", store.LOCK], "2021\n"),
        (["2021/pyvenv.cfg", "current"], "2021\n"),
        (["2021/pyvenv.cfg", "current", "lock"], "2021 \n"),
        (["notes.txt"], "theirs"),
        (["lock"], "theirs"),
        (["current", "current.part"], "1\n"),
    ],
)
def test_a_folder_of_others_is_refused_and_untouched(tmp_path, names, text):
    folder = write(tmp_path / "data", *names, text=text)
    before = tree(folder)
    with pytest.raises(InstallError, match="was not made by this plugin"):
        make_plan(InstallRequest(folder, sys.executable, str(tmp_path)))
    assert not store.remove(folder) and tree(folder) == before


@posix
@pytest.mark.parametrize("name", [store.LOCK, store.POINTER, "current.part", ownership.MARK_FILE])
def test_links_are_not_followed(tmp_path, name):
    folder, victim = tmp_path / "managed", write(tmp_path, "victim") / "victim"
    folder.mkdir()
    made = store.make_next(folder)
    place = made / name if name == ownership.MARK_FILE else folder / name
    place.unlink(missing_ok=True)
    place.symlink_to(victim)
    if name == store.LOCK:
        with pytest.raises(OSError), store.exclusive(folder):
            pass
    else:
        store.activate(made)
        assert store.current(folder) == "1"
    assert victim.read_text() == "theirs"


def test_only_what_was_made_here_is_swept(tmp_path):
    folder = tmp_path / "managed"
    with store.exclusive(folder):
        first = store.make_next(folder)
        write(first, "bin/python", "lib/x.py")
        store.activate(first)
    write(folder, "2021/scene.tif", "7/pyvenv.cfg", "²/x")
    before, left = tree(folder), []
    with store.exclusive(folder):
        store.sweep(folder, left.append)
        assert {**tree(folder), store.LOCK: ""} == {**before, store.LOCK: ""}
        second = store.make_next(folder)
        assert second.name == "2022"
        store.activate(second)
        store.sweep(folder, left.append)
    assert not first.exists() and {path.name for path in left} == {"2021", "7"}
    assert store.remove(folder) and (folder / "2021" / "scene.tif").exists() and not second.exists()


def test_files_added_to_an_environment_keep_it(tmp_path):
    folder = tmp_path / "managed"
    with store.exclusive(folder):
        made = store.make_next(folder)
        store.activate(write(made, "bin/python"))
    write(made, "notes of mine.txt")
    left = []
    assert store.remove(folder, left.append)
    assert left == [made] and (made / "bin" / "python").exists() and store.current(folder) == ""
    assert ownership.foreign_in(folder) == "", "a new installation may follow"


def test_an_unfinished_environment_is_swept_whole(tmp_path):
    with store.exclusive(tmp_path / "m"):
        write(store.make_next(tmp_path / "m"), "half/x", "tmp/y", "any.txt")
        store.sweep(tmp_path / "m")
    assert [path.name for path in (tmp_path / "m").iterdir()] == [store.LOCK]


@pytest.mark.parametrize("lock", ["", "1234"])
def test_environments_of_earlier_versions_are_known(tmp_path, lock):
    folder = tmp_path / "managed"
    venv(folder / "4")
    venv(folder / "5")  # of a killed installation
    write(folder, store.POINTER, text="4\n")
    assert ownership.foreign_in(folder), "without the lock file it may be anybody's"
    write(folder, store.LOCK, text=lock)
    left = []
    assert ownership.foreign_in(folder) == ""
    assert store.remove(folder, left.append)
    assert not (folder / "4").exists() and left == [folder / "5"]


def test_a_plain_virtual_environment_is_refused(tmp_path):
    with pytest.raises(InstallError, match="was not made by this plugin"):
        refuse_foreign(venv(tmp_path / "venv"))


def test_files_that_desktops_write_do_no_harm(tmp_path):
    refuse_foreign(tmp_path / "none")
    refuse_foreign(write(tmp_path, ".DS_Store", "Thumbs.db"))
    refuse_foreign(write(tmp_path, store.LOCK, text=""))


def test_a_folder_filled_after_the_plan_is_refused(tmp_path):
    plan = make_plan(InstallRequest(tmp_path / "managed", sys.executable, str(tmp_path)))
    write(tmp_path / "managed", "2021/scene.tif")
    with pytest.raises(InstallError, match="holds 2021"):
        install(plan, InstallFeedback())
    assert tree(tmp_path / "managed") == {"2021/scene.tif": "theirs"}


def alive(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(number: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while alive(number) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(number)


@pytest.fixture
def pip(tmp_path):
    """An interpreter that starts another program when it creates an environment, writes both numbers, and hangs."""
    return write_fake_python(
        tmp_path / "python3",
        f"""
        more = subprocess.Popen(["sleep", "600"])
        with open({str(tmp_path / "part")!r}, "w") as file:
            file.write(f"{{os.getpid()}} {{more.pid}}")
        os.rename({str(tmp_path / "part")!r}, {str(tmp_path / "numbers")!r})
        time.sleep(600)
        """,
    )


ENDS = [
    getattr(signal, name) for name in ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGTERM") if hasattr(signal, name)
]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("number", ENDS)
def test_no_program_outlives_the_installation(pip, tmp_path, number):
    words = ["install", "--folder", tmp_path / "managed", "--python", pip, "--wheels", tmp_path]
    command = [sys.executable, "-m", "sardino_qgis.environment", *map(str, words)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PATH": "/usr/bin:/bin"}, **quiet) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "numbers").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        code = process.wait(30)
    programs = [int(text) for text in (tmp_path / "numbers").read_text().split()]
    assert all(gone(program) for program in programs)
    names = {path.name for path in (tmp_path / "managed").iterdir()}
    assert (code, names) == ((-9, {"1", store.LOCK}) if number == signal.SIGKILL else (130, {store.LOCK}))


@pytest.mark.parametrize("code", [0, 3])
def test_the_guard_passes_output_and_exit_code_on(code):
    program = [sys.executable, "-c", f"import sys; print('said'); sys.exit({code})"]
    command = [sys.executable, "-I", "-S", guard.__file__, *program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.read() == "said\n" and process.wait(10) == code


def test_the_guard_says_what_cannot_be_started(tmp_path):
    command = [sys.executable, "-I", "-S", guard.__file__, str(tmp_path / "none")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode in (1, 127) and (done.returncode == 1 or "No such file" in done.stdout)
