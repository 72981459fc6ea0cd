"""The set-up gives instructions where it can't continue, and keeps a finished environment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.setup import environment, process, stamp, system


def test_another_system_gets_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.sys, "platform", "darwin")
    with pytest.raises(process.SetupError, match=r"(?s)not Debian or Ubuntu.*QGIS_PYTHON=.*WITHOUT_QGIS=1"):
        system.install_packages(["qgis"])


def test_without_root_the_command_to_run_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.sys, "platform", "linux")
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(system, "become_root", lambda: None)
    with pytest.raises(process.SetupError, match=r"sudo apt-get install -y --no-install-recommends qgis python3-venv"):
        system.install_packages(["qgis", "python3-venv"])


def test_a_python_that_is_not_there_lacks_everything(tmp_path: Path) -> None:
    missing = system.missing_packages(tmp_path / "python3", with_qgis=True)
    assert missing == [*system.QGIS_PACKAGES, "python3-venv"]
    assert system.missing_packages(tmp_path / "python3", with_qgis=False) == ["python3-venv"]


def test_lrelease_is_installed_where_that_can_be_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(system, "find_lrelease", lambda: None)
    monkeypatch.setattr(system, "install_packages", installed.extend)
    monkeypatch.setattr(system, "become_root", lambda: [])
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    system.ensure_lrelease()
    assert installed == ["qt6-l10n-tools"]
    monkeypatch.setattr(system, "become_root", lambda: None)
    system.ensure_lrelease()
    assert len(installed) == 1 and "will not be compiled: install Qt's lrelease" in capsys.readouterr().out
    monkeypatch.setattr(system, "find_lrelease", lambda: "/usr/bin/lrelease")
    system.ensure_lrelease()
    assert not capsys.readouterr().out


def test_the_last_line_of_a_failure_is_kept() -> None:
    assert process.last_words(Path(sys.executable), "pass") is None
    assert process.last_words(Path(sys.executable), "import no_such_module") == (
        "ModuleNotFoundError: No module named 'no_such_module'"
    )


def test_torchvision_is_left_alone_where_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "last_words", lambda python, code: None)
    monkeypatch.setattr(environment.subprocess, "run", lambda *words, **options: pytest.fail("something was installed"))
    environment.ensure_torchvision(Path("python"))


def test_a_misfit_torchvision_is_replaced_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    answers = iter(["operator torchvision::nms does not exist", None])
    monkeypatch.setattr(environment, "last_words", lambda python, code: next(answers))
    monkeypatch.setattr(environment.subprocess, "run", run)
    environment.ensure_torchvision(Path("python"))
    assert commands[-1][-2:] == ["--no-deps", environment.LENIENT_TORCHVISION]
    assert "nms does not exist" in capsys.readouterr().out


def test_changed_requirements_make_the_stamp_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runtime.txt").write_text("torch==1.0\n")
    monkeypatch.setattr(stamp, "REQUIREMENTS", tmp_path)
    before = stamp.fingerprint(Path("python"), with_qgis=True)
    assert before == stamp.fingerprint(Path("python"), with_qgis=True)
    assert before != stamp.fingerprint(Path("python"), with_qgis=False)
    (tmp_path / "runtime.txt").write_text("torch==2.0\n")
    assert before != stamp.fingerprint(Path("python"), with_qgis=True)


def test_an_environment_without_a_stamp_is_not_current(tmp_path: Path) -> None:
    assert not stamp.is_current(tmp_path, "stamp")


def test_the_demo_needs_no_pytorch_and_more_serves_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo, complete = (environment.requirement_files(False, complete) for complete in (False, True))
    text = "".join(path.read_text() for path in demo)
    assert "openvino" in text and "torch==" not in text and set(demo) < set(complete)
    monkeypatch.setattr(stamp, "works", lambda python, code: True)
    note(tmp_path, digest="now", complete=False)
    assert stamp.is_current(tmp_path, "now", complete=False) and not stamp.is_current(tmp_path, "now")
    note(tmp_path, digest="now", complete=True)
    assert stamp.is_current(tmp_path, "now", complete=False) and stamp.is_current(tmp_path, "now")


def note(venv: Path, **noted: object) -> Path:
    (venv / stamp.STAMP).write_text(json.dumps(noted))
    return venv


def test_the_first_set_up_has_qgis_on_the_systems_python(tmp_path: Path) -> None:
    assert stamp.choose(tmp_path, "", "") == (Path("/usr/bin/python3"), True)
    assert stamp.choose(tmp_path, "1", "") == (Path(sys.executable), False)
    (tmp_path / stamp.STAMP).write_text("half a li")
    assert stamp.choose(tmp_path, "", "") == (Path("/usr/bin/python3"), True)


def test_leaving_qgis_out_is_remembered_until_it_is_taken_back(tmp_path: Path) -> None:
    venv = note(tmp_path, base="/opt/python3", with_qgis=False, digest="")
    assert stamp.choose(venv, "", "") == (Path("/opt/python3"), False)
    assert stamp.choose(venv, "0", "") == (Path("/usr/bin/python3"), True)
    assert stamp.choose(venv, "", "/opt/qgis/python3") == (Path("/opt/qgis/python3"), True)
    assert stamp.choose(venv, "1", "/opt/other/python3") == (Path("/opt/other/python3"), False)


def test_the_python_of_qgis_is_remembered(tmp_path: Path) -> None:
    venv = note(tmp_path, base="/opt/qgis/python3", with_qgis=True, digest="")
    assert stamp.choose(venv, "", "") == (Path("/opt/qgis/python3"), True)
    assert stamp.choose(venv, "1", "") == (Path(sys.executable), False)


def test_an_environment_on_another_installation_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another installation of the same version doesn't see QGIS."""
    base, venv = Path("/usr/bin/python3"), tmp_path / "venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    prefix, commands = {"venv": "/usr"}, []
    monkeypatch.setattr(
        environment, "installation", lambda python: ("3.11", "/usr" if python == base else prefix["venv"])
    )
    monkeypatch.setattr(environment, "run", lambda command, what: commands.append(command))
    environment.make_venv(base, venv, with_qgis=True)
    assert not commands
    prefix["venv"] = "/home/me/.pyenv/versions/3.11.9"
    environment.make_venv(base, venv, with_qgis=True)
    assert commands[0][-2:] == ["--system-site-packages", "--clear"]


def test_an_environment_has_the_installation_of_its_base(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    assert environment.installation(environment.venv_python(tmp_path)) == environment.installation(Path(sys.executable))
    assert environment.installation(tmp_path / "none") is None
