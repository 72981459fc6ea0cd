"""Files are written atomically, one or several together."""

import os

import pytest

from backend.core.atomic_files import Part, refusing, write_files
from backend.core.cancel import Cancel
from backend.core.errors import Cancelled, ResourceError
from tests.support.small_disk import leave_room, mounted


def test_new_files_replace_older_ones(tmp_path):
    (tmp_path / "a.txt").write_text("older")
    write_files({tmp_path / "a.txt": b"new", tmp_path / "b.json": b"{}"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"new", "b.json": b"{}"}


def test_a_full_disk_leaves_all_older_files(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        for name in ("a", "b"):
            (disk / name).write_bytes(b"older")
        leave_room(disk, 8 * 4096)
        with pytest.raises(ResourceError, match="can't be written: no space is left"), refusing(disk / "a"):
            write_files({disk / "a": bytes(4 * 4096), disk / "b": bytes(8 * 4096)})
        assert {p.name: p.read_bytes() for p in disk.iterdir() if p.name != "filler"} == {"a": b"older", "b": b"older"}


def test_a_cancel_before_the_names_leaves_older_files(tmp_path):
    cancel = Cancel()
    cancel.set()
    (tmp_path / "a").write_text("older")
    with pytest.raises(Cancelled):
        write_files({tmp_path / "a": b"new"}, cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "older"


@pytest.mark.parametrize("name", ["card.json", "o.qml", "report.html", "o.tif.aux.xml"])
def test_a_temporary_name_ends_like_the_file(tmp_path, name):
    part = Part(tmp_path / name)
    assert part.temporary.suffix == os.path.splitext(name)[1] and part.temporary.parent == tmp_path
    part.write(b"x")
    with pytest.raises(FileExistsError):
        part.write(b"y")
    part.discard()
    part.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_gives_the_reason_of_the_system(tmp_path):
    with pytest.raises(ResourceError) as refusal, refusing(tmp_path / "none" / "a"):
        write_files({tmp_path / "none" / "a": b""})
    assert refusal.value.message == f"{tmp_path / 'none' / 'a'} can't be written: No such file or directory."
