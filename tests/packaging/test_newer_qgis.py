"""`make test-qgis-next` takes only the apt settings of the machine, and runs commands inside a root."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import newer_qgis
from tools.setup.process import SetupError


def test_the_mirror_is_the_machines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_qgis, "output_of", lambda _: "http://mirror.test/debian/\nhttp://other.test/debian/\n")
    assert newer_qgis.machine_mirror() == "http://mirror.test/debian/"
    monkeypatch.setattr(newer_qgis, "output_of", lambda _: "")
    with pytest.raises(SetupError, match=r"(?s)knows no mirror.*--mirror URI"):
        newer_qgis.machine_mirror()


def test_a_missing_program_gives_no_output() -> None:
    assert newer_qgis.output_of(["no-such-program-here"]) == ""


def test_settings_of_apt_are_taken_if_they_lead_to_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['APT::Architecture "amd64";\n', 'Acquire::http::Proxy "http://proxy.test:1";\n',
             'Acquire::Check-Valid-Until "false";\n', 'Acquire::Languages "none";\n']  # fmt: skip
    monkeypatch.setattr(newer_qgis, "output_of", lambda _: "".join(lines))
    assert newer_qgis.apt_settings() == lines[1] + lines[2]


def test_without_roots_rights_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_qgis, "become_root", lambda: None)
    with pytest.raises(SetupError, match="needs root's rights"):
        newer_qgis.inside("trixie", "true")


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would be run, in folders of their own; debootstrap exists."""
    ran: list[list[str]] = []
    monkeypatch.setattr(newer_qgis, "ROOTS", tmp_path)
    monkeypatch.setattr(newer_qgis, "become_root", lambda: [])
    monkeypatch.setattr(newer_qgis.shutil, "which", lambda *_, **__: "/usr/sbin/debootstrap")
    monkeypatch.setattr(newer_qgis, "run", lambda command, what: ran.append(command))
    monkeypatch.setattr(newer_qgis, "inside", lambda release, *command: ["true"])
    monkeypatch.setattr(newer_qgis, "run_inside", lambda release, what, *command: ran.append(list(command)))
    return ran


def test_a_base_stays_and_a_half_made_one_is_made_again(commands: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "sid.partial").mkdir()
    newer_qgis.ensure_base("sid", "http://mirror.test/debian")
    removed, made, named = commands
    assert removed == ["rm", "-rf", str(tmp_path / "sid.partial")]
    assert made[-3:] == ["sid", str(tmp_path / "sid.partial"), "http://mirror.test/debian"]
    assert named == ["mv", str(tmp_path / "sid.partial"), str(tmp_path / "sid")]
    (tmp_path / "sid").mkdir()
    newer_qgis.ensure_base("sid", "http://mirror.test/debian")
    assert len(commands) == 3


def test_packages_are_noted_and_not_installed_twice(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("etc/apt/apt.conf.d", "usr/sbin"):
        (tmp_path / "sid" / folder).mkdir(parents=True)
    newer_qgis.ensure_packages("sid")
    install = next(command for command in commands if "install" in command)
    assert set(newer_qgis.PACKAGES) <= set(install)
    assert (tmp_path / "sid" / newer_qgis.NOTE).read_text().split() == newer_qgis.PACKAGES
    done = len(commands)
    newer_qgis.ensure_packages("sid")
    assert len(commands) == done
    monkeypatch.setattr(newer_qgis, "PACKAGES", [*newer_qgis.PACKAGES, "one-more"])
    newer_qgis.ensure_packages("sid")
    assert len(commands) > done


def test_nothing_is_noted_when_the_installation_fails(
    commands: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("etc/apt/apt.conf.d", "usr/sbin"):
        (tmp_path / "sid" / folder).mkdir(parents=True)

    def fail(release: str, what: str, *command: str) -> None:
        raise SetupError(what)

    monkeypatch.setattr(newer_qgis, "run_inside", fail)
    with pytest.raises(SetupError):
        newer_qgis.ensure_packages("sid")
    assert not (tmp_path / "sid" / newer_qgis.NOTE).exists()


def test_the_environment_of_this_machine_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newer_qgis, "become_root", lambda: [])
    monkeypatch.setenv("QGIS_PLUGINPATH", "/somewhere")
    command = newer_qgis.inside("sid", "python3", "-m", "pytest")
    assert command[-3:] == ["python3", "-m", "pytest"]
    assert command[command.index("env") :][:2] == ["env", "-i"]
    assert not any("QGIS_PLUGINPATH" in word for word in command)
    assert subprocess.run(["sh", "-n", "-c", newer_qgis.ENTER], check=False).returncode == 0
