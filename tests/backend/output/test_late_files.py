"""Files that other programs write during a run are kept, and links laid at temporary names are not followed."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from backend.core import claims
from backend.output.sink import RasterSink
from tests.backend.reliability import zoo
from tests.support.make_safe import Scene, make_safe

posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
MAPS = {
    "landcover": [],
    "attention": [],
    "embed": [],
    "similarity": ["--point", 500005, 4599995],
}


@pytest.fixture
def run(cli, tiny_model, tmp_path):
    """Run a command that writes o.tif; return its exit code and what it says."""

    def call(command, *options):
        if command == "calibrate":
            return cli(command, make_safe(tmp_path / "in", Scene(shape=(30, 40))), tmp_path / "o.tif", *options)[::2]
        if command == "accuracy":
            classes = zoo.write(tmp_path / "in" / "map.tif", np.full((1, 9, 9), 10, np.uint8), ())
            return cli(command, classes, classes, tmp_path / "o.html", "--json", tmp_path / "o.json", *options)[::2]
        source = zoo.plain(tmp_path / "in")
        return cli(command, source, tmp_path / "o.tif", "--model", tiny_model, *MAPS[command], *options)[::2]

    (tmp_path / "in").mkdir()
    return call


def left(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(errors="replace")[:9] for path in folder.iterdir() if path.name != "in"}


@pytest.mark.parametrize("late", ["o.tif", "o.qml", "o.tif.aux.xml", "o.tif.ovr", "o.tif.msk"])
@pytest.mark.parametrize("command", [*MAPS, "calibrate"])
def test_what_appears_during_a_run_is_kept(run, tmp_path, monkeypatch, command, late):
    real = RasterSink.finish

    def finish(sink, *given):
        (tmp_path / late).write_text("theirs")
        return real(sink, *given)

    monkeypatch.setattr(RasterSink, "finish", finish)
    code, err = run(command)
    assert code == 1 and f"{late} appeared during the run" in err
    assert left(tmp_path) == {late: "theirs"}


@pytest.mark.parametrize("late", ["o.html", "o.json"])
def test_reports_that_appear_during_a_run_are_kept(run, tmp_path, monkeypatch, late):
    from backend.accuracy import command

    real = command.as_html
    monkeypatch.setattr(command, "as_html", lambda facts: ((tmp_path / late).write_text("theirs"), real(facts))[1])
    code, err = run("accuracy")
    assert code == 1 and f"{late} appeared during the run" in err
    assert left(tmp_path) == {late: "theirs"}


def test_of_two_maps_none_is_left_if_one_name_is_taken(run, tmp_path, monkeypatch):
    real = os.link

    def link(source, target):
        if target.name == "o.tif":  # the main one, which comes last
            target.write_text("theirs")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    code, err = run("landcover", "--confidence", tmp_path / "c.tif")
    assert code == 1 and "o.tif appeared" in err and left(tmp_path) == {"o.tif": "theirs"}


def test_a_style_of_another_raster_that_appears_is_kept(run, tmp_path, monkeypatch):
    real = RasterSink.finish

    def finish(sink, *given):
        (tmp_path / "o.png").write_text("theirs")
        (tmp_path / "o.qml").write_text("theirs")
        return real(sink, *given)

    monkeypatch.setattr(RasterSink, "finish", finish)
    code, err = run("landcover", "--overwrite")
    assert code == 1 and "the style of o.png" in err
    assert left(tmp_path) == {"o.png": "theirs", "o.qml": "theirs"}


@posix
@pytest.mark.parametrize("command", [*MAPS, "calibrate", "accuracy"])
def test_links_at_temporary_names_are_not_followed(run, tmp_path, monkeypatch, command):
    """The random part of all names is known here, and another user has laid links at names that a run would take."""
    victim = tmp_path / "in" / "victim"
    victim.write_text("theirs")
    monkeypatch.setattr(claims.secrets, "token_hex", lambda count: "0" * 2 * count)
    stale = claims._remove_stale

    def plant(output):
        stale(output)
        for ending in ("", ".tif", ".qml", ".xml", ".html", ".json", ".radar.tif", ".calibrated.tif", ".tif.aux.xml"):
            claims.temporary(output, ending).symlink_to(victim)

    monkeypatch.setattr(claims, "_remove_stale", plant)
    code, err = run(command)
    assert code == 1 and "can't be written" in err and "fault of" not in err
    assert victim.read_text() == "theirs" and not (tmp_path / "o.tif").exists()


@posix
def test_a_link_at_the_name_of_the_lock_is_not_followed(run, tmp_path):
    victim = tmp_path / "in" / "victim"
    (tmp_path / ".o.tif.sardino-lock").symlink_to(victim)
    code, err = run("landcover")
    assert code == 1 and "can't be written to" in err and not victim.exists()


def unchanging(path):
    """All that names a file, but not when it was last looked at."""
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


@posix
@pytest.mark.parametrize("command", ["landcover", "calibrate", "accuracy"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "link to a device", "stdout"])
def test_what_is_no_file_is_never_replaced(run, tmp_path, command, kind):
    path = tmp_path / ("o.html" if command == "accuracy" else "o.tif")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        if kind == "pipe":
            os.mkfifo(path)
        elif kind == "socket":
            listener.bind(str(path))
        elif kind == "device":
            try:
                os.mknod(path, 0o666 | 0o020000, os.makedev(1, 3))
            except PermissionError:
                pytest.skip("only root makes devices")
        else:
            path.symlink_to("/dev/null" if kind == "link to a device" else "/proc/self/fd/1")
        before = unchanging(path)
        code, err = run(command, "--overwrite")
        assert code == 1 and "is a device, a pipe or a socket" in err
        assert unchanging(path) == before


@posix
@pytest.mark.parametrize("name", ["o.qml", "o.tif.aux.xml", "o.tif.ovr"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_sidecar_that_is_no_file_is_refused_at_once(run, tmp_path, name, make):
    (tmp_path / "o.tif").write_text("older")
    make(tmp_path / name)
    code, err = run("landcover", "--overwrite")
    assert code == 1 and f"would replace {name}, which is not a file" in err
    assert (tmp_path / "o.tif").read_text() == "older"


@posix
@pytest.mark.parametrize("command", ["landcover", "calibrate", "accuracy"])
def test_a_dangling_link_is_an_output_that_exists(run, tmp_path, command):
    path = tmp_path / ("o.html" if command == "accuracy" else "o.tif")
    path.symlink_to(tmp_path / "nowhere")
    code, err = run(command)
    assert code == 1 and "exists" in err and path.is_symlink()
    assert run(command, "--overwrite")[0] == 0 and path.is_file() and not path.is_symlink()
    assert not (tmp_path / "nowhere").exists()


@posix
@pytest.mark.parametrize("command", ["landcover", "calibrate", "accuracy"])
def test_an_older_output_keeps_its_permissions(run, tmp_path, command):
    path = tmp_path / ("o.html" if command == "accuracy" else "o.tif")
    path.write_text("older")
    path.chmod(0o640)
    assert run(command, "--overwrite")[0] == 0
    assert path.stat().st_mode & 0o777 == 0o640 and path.stat().st_size > 99
