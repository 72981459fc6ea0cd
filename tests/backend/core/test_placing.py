"""Names are given to files without replacing what may not be replaced, and permissions stay."""

import errno
import os
import stat

import pytest

from backend.core import placing
from backend.core.atomic_files import write_files
from backend.core.claims import claim
from backend.core.errors import ResourceError
from backend.core.placing import place_new, place_over

posix = pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")


def no_links(source, target):
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.fixture(params=["links", "no links"])
def links(request, monkeypatch):
    if request.param == "no links":
        monkeypatch.setattr(placing.os, "link", no_links)


@pytest.fixture
def new(tmp_path):
    path = tmp_path / "temporary"
    path.write_text("new")
    return path


def test_a_free_name_is_given(links, new, tmp_path):
    place_new(new, tmp_path / "o")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("o", "new")]


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "dangling"])
def test_a_taken_name_is_kept(links, new, tmp_path, kind):
    target = tmp_path / "o"
    make = {
        "file": lambda: target.write_text("theirs"),
        "folder": target.mkdir,
        "pipe": lambda: os.mkfifo(target),
        "dangling": lambda: target.symlink_to(tmp_path / "nowhere"),
    }
    if kind in ("pipe", "dangling") and os.name == "nt":
        pytest.skip("POSIX")
    make[kind]()
    before = target.lstat()
    with pytest.raises(FileExistsError):
        place_new(new, target)
    assert target.lstat() == before and new.read_text() == "new" and not (tmp_path / "nowhere").exists()


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444, 0o755])
def test_permissions_of_the_older_file_are_kept(new, tmp_path, mode):
    target = tmp_path / "o"
    target.write_text("older")
    target.chmod(mode)
    place_over(new, target)
    assert target.read_text() == "new" and stat.S_IMODE(target.stat().st_mode) == mode


@posix
def test_another_group_gets_no_more_than_others(new, tmp_path, monkeypatch):
    target = tmp_path / "o"
    target.write_text("older")
    target.chmod(0o664)
    real = type(target).stat

    def stat_of(path, **options):
        found = list(real(path, **options))
        if path == target:
            found[5] += 1
        return os.stat_result(found)

    monkeypatch.setattr(type(target), "stat", stat_of)
    monkeypatch.setattr(placing.os, "chown", lambda *_: no_links(None, None))
    place_over(new, target)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o644


def test_of_several_reports_none_is_left_if_one_is_taken(links, tmp_path):
    paths = [tmp_path / name for name in ("a.html", "b.json", "c.csv")]
    with claim(paths[0], replace=False), claim(paths[1], replace=False), claim(paths[2], replace=False):
        paths[1].write_text("theirs")
        with pytest.raises(ResourceError, match=r"b\.json appeared during the run\. It is kept"):
            write_files(dict.fromkeys(paths, b"ours"))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("b.json", "theirs")]


def test_an_exchanged_file_is_not_withdrawn(tmp_path, monkeypatch):
    """Another program replaces our first file before the second turns out to be taken."""
    first, second = tmp_path / "a", tmp_path / "b"
    real = placing.place_new

    def exchange(source, target):
        if target == second:
            (tmp_path / "x").write_text("theirs")
            os.replace(tmp_path / "x", first)
        real(source, target)

    monkeypatch.setattr("backend.core.atomic_files.place_new", exchange)
    with claim(first, replace=False), claim(second, replace=False):
        second.write_text("theirs")
        with pytest.raises(ResourceError):
            write_files({first: b"ours", second: b"ours"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "theirs", "b": "theirs"}
