"""Outputs that must not be written are refused before any work."""

import os
import tempfile
import threading
from pathlib import Path

import pytest

from backend.core.cancel import Cancel
from backend.core.claims import temporary
from backend.core.errors import InputError, ResourceError
from backend.core.file_lock import FileLock
from backend.output.names import check_not_parts, check_outputs, claim_outputs


def check(path, source, overwrite):
    check_outputs([path], [source], overwrite)


def begin(path, overwrite=False):
    """Check and claim an output as a run does."""
    with claim_outputs([path], ["in.tif"], overwrite, Cancel()):
        pass


def test_outputs_that_cannot_be_written_are_refused_first(tmp_path):
    path = tmp_path / "o.tif"
    path.touch()
    with pytest.raises(InputError, match="exists"):
        check(path, "in.tif", overwrite=False)
    check(path, "in.tif", overwrite=True)
    with pytest.raises(InputError, match="is the input"):
        check(path, str(path), overwrite=True)
    with pytest.raises(InputError, match="no folder"):
        check(tmp_path / "none" / "o.tif", "in.tif", overwrite=False)
    with pytest.raises(InputError, match="is a folder"):
        check(tmp_path, "in.tif", overwrite=True)


@pytest.fixture
def nobody():
    """Act as another user: root may write anywhere."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such permission on folders")
def test_a_read_only_folder_is_refused(nobody):
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o500)
    try:
        with pytest.raises(ResourceError, match="can't be written"):
            begin(folder / "o.tif")
    finally:
        folder.rmdir()


def held(source, target):
    raise PermissionError(13, "The process cannot access the file")


@pytest.mark.parametrize("name", ["o.tif", "o.qml", "o.tif.aux.xml", "o.tif.ovr"])
def test_files_held_by_another_program_are_found_first(tmp_path, monkeypatch, name):
    (tmp_path / "o.tif").touch()
    (tmp_path / name).touch()
    monkeypatch.setattr(os, "replace", held)
    with pytest.raises(ResourceError, match="another program") as refusal:
        begin(tmp_path / "o.tif", overwrite=True)
    assert "QGIS" in refusal.value.hint


@pytest.mark.parametrize("beside", ["s1.qml", "s1.tif.aux.xml"])
def test_sidecars_without_their_raster_need_overwrite(tmp_path, beside):
    (tmp_path / beside).touch()
    with pytest.raises(InputError, match=beside):
        check(tmp_path / "s1.tif", "in.tif", overwrite=False)
    check(tmp_path / "s1.tif", "in.tif", overwrite=True)


def test_the_style_of_another_raster_is_never_replaced(tmp_path):
    for name in ("s1.qml", "s1.img"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match=r"style of s1\.img"):
        check(tmp_path / "s1.tif", "in.tif", overwrite=True)


def test_an_output_may_not_share_its_style_with_the_input(tmp_path):
    (tmp_path / "s1.img").touch()
    with pytest.raises(InputError, match="style"):
        check(tmp_path / "s1.tif", str(tmp_path / "s1.img"), overwrite=True)


def test_one_file_under_two_names_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="same path"):
        check_outputs([tmp_path / "o.tif", tmp_path / "folder" / ".." / "o.tif"], [], False)
    with pytest.raises(InputError, match=r"share one style, o\.qml"):
        check_outputs([tmp_path / "o.tif", tmp_path / "o.tiff"], [], False)
    check_outputs([tmp_path / "a.tif", tmp_path / "b.tif", tmp_path / "folder" / "a.tif"], [], False)
    (tmp_path / "s.tif").touch()
    with pytest.raises(InputError, match="is the input"):
        check(tmp_path / "folder" / ".." / "s.tif", "s.tif", overwrite=True)


def test_leftovers_of_all_files_of_an_output_are_removed(tmp_path):
    path = tmp_path / "o.tif"
    for ending in (".tif", ".qml", ".xml", ".radar.tif", ".calibrated.tif"):
        temporary(path, ending).touch()
    begin(path)
    assert list(tmp_path.iterdir()) == []


def test_text_files_have_no_style_to_share(tmp_path):
    (tmp_path / "map.tif").touch()
    paths = [tmp_path / "map.html", tmp_path / "map.json"]
    check_outputs(paths, [str(tmp_path / "map.tif")], overwrite=False, rasters=False)
    with pytest.raises(InputError, match="is the input"):
        check_outputs([tmp_path / "map.tif"], [str(tmp_path / "map.tif")], overwrite=True, rasters=False)
    with pytest.raises(InputError, match="is a folder"):
        check_outputs([tmp_path], [], overwrite=True, rasters=False)


def test_each_input_is_looked_up_once_for_all_outputs(tmp_path, monkeypatch):
    source, looked, real = tmp_path / "in.vrt", [], os.stat
    source.touch()

    def stat(path, **options):
        looked.append(path)
        return real(path, **options)

    monkeypatch.setattr(os, "stat", stat)
    outputs = [tmp_path / f"{number}.tif" for number in range(20)]
    with claim_outputs(outputs, [str(source)], False, Cancel()):
        check_not_parts(outputs, [str(source)])
    assert looked.count(str(source)) < 10


def test_a_folder_is_listed_once_for_an_output(tmp_path, monkeypatch):
    listed, real = [], Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda self: (listed.append(self), real(self))[1])
    sources = [str(tmp_path / f"{number}.vrt") for number in range(20)]
    with claim_outputs([tmp_path / "o.tif"], sources, False, Cancel()):
        pass
    assert listed == [tmp_path]


def test_an_output_of_a_run_that_was_waited_for_is_kept(tmp_path):
    path = tmp_path / "o.tif"
    other = FileLock(tmp_path / ".o.tif.sardino-lock")

    def finish():
        path.write_bytes(b"of the other run")
        other.release()

    threading.Timer(0.1, finish).start()
    with pytest.raises(InputError, match="exists"), claim_outputs([path], [], False, Cancel()):
        pass
    assert [found.name for found in tmp_path.iterdir()] == ["o.tif"]
