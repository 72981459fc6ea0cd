"""Claims on scenes: one worker each, also when workers die, hang or come back."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from backend.archive.attempts import MOST_DEATHS, AttemptBook
from backend.archive.folder import ArchiveFolder
from backend.archive.heart import Heart
from backend.archive.plan import plan_text
from backend.archive.units import Unit
from backend.archive.worker import ArchiveWorker
from backend.core.errors import InputError, ResourceError
from backend.core.events import Reporter
from backend.maps.request import MapContext


@pytest.fixture
def folder(tmp_path):
    made = ArchiveFolder(tmp_path / "out")
    made.open([Unit("a", ("a.tif",))], {"task": "landcover"})
    return made


def book_of(folder, retries=1):
    return AttemptBook(folder, "worker", retries, 60.0)


def age(held, seconds):
    """Let a claim look as if its worker had died some time ago."""
    then = held.claim.stat().st_mtime - seconds
    os.utime(held.claim, (then, then))


def test_one_of_many_gets_a_scene(folder):
    taken, start = [], threading.Barrier(8)

    def take():
        book = book_of(folder)
        start.wait()
        taken.append(book.take("a"))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(held is not None for held in taken) == 1


def test_a_live_claim_is_kept_and_a_dead_one_is_followed(folder):
    book = book_of(folder)
    held = book.take("a")
    assert book.may_follow("a", book.listing()["a"]) is None
    age(held, 100)
    assert book.may_follow("a", book.listing()["a"]) is True
    following = book.take("a", 1)
    assert following.number == 2 and not held.work.exists() and book_of(folder).take("a", 1) is None


def test_who_comes_back_can_neither_commit_nor_record_a_failure(folder):
    book = book_of(folder)
    dead = book.take("a")
    (dead.work / "part").write_text("half")
    age(dead, 100)
    following = book.take("a", 1)
    (following.work / "whole").write_text("whole")
    assert book.commit(dead) is False
    assert book.commit(following) is True
    assert [path.name for path in (folder.scenes / "a").iterdir()] == ["whole"]
    book.fail(dead, InputError("late"))
    assert os.listdir(folder.claims) == [] and os.listdir(folder.work) == []


def test_the_first_of_two_results_stays(folder):
    book = book_of(folder)
    first = book.take("a")
    (first.work / "first").write_text("1")
    assert book.commit(first)
    assert book.take("a") is None
    first.work.mkdir()
    (first.work / "second").write_text("2")
    assert book.commit(first) is False
    assert os.listdir(folder.scenes / "a") == ["first"]


def test_a_number_that_is_given_anew_is_another_folder(folder):
    book = book_of(folder)
    suspended = book.take("a")
    (suspended.work / "whole").write_text("old")
    book.release_all("worker")
    following = book.take("a")
    assert following.number == suspended.number and following.work != suspended.work
    (following.work / "half").write_text("new")
    # The suspended one comes back: it must neither give the other's folder a place, nor end its claim.
    assert book.commit(suspended) is False
    book.fail(suspended, InputError("late"))
    assert not (folder.scenes / "a").exists() and following.work.exists() and following.claim.exists()
    assert book.commit(following) and os.listdir(folder.scenes / "a") == ["half"]
    assert os.listdir(folder.claims) == [] and os.listdir(folder.work) == []


def test_ages_are_by_the_disks_clock_not_this_computers(folder, monkeypatch):
    """On SMB and Windows a time that a program sets is that of its computer's clock, here an hour slow."""
    real = os.utime

    def of_this_computer(path, times=None, **options):
        real(path, times, **options)
        if times is None and not options:
            late = os.stat(path).st_mtime - 3600
            real(path, (late, late))

    monkeypatch.setattr(os, "utime", of_this_computer)
    book = book_of(folder)
    held = book.take("a")
    age(held, 100)
    with Heart(held.claim, 0.01):
        deadline = time.monotonic() + 5
        while book.age(held.claim) > 50 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert -5 < book.age(held.claim) < 50 and held.claim.read_text() == held.text
    book.close()


def test_a_claim_that_a_full_disk_left_empty_is_nobodys(folder, monkeypatch):
    def full(self, *mode, **options):
        file = real(self, *mode, **options)
        file.write = lambda text: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        return file

    real = Path.open
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(ResourceError, match="a|No space"):
        book_of(folder).take("a")
    monkeypatch.undo()
    assert book_of(folder).listing() == {}


def test_failures_are_repeated_so_often_and_say_why(folder):
    book = book_of(folder, retries=1)
    for after in (0, 1):
        book.fail(book.take("a", after), InputError(f"no. {after + 1}"))
        assert book.take("a", after) is None
    attempts = book.listing()["a"]
    assert book.may_follow("a", attempts) is False and book.reason("a", attempts) == "no. 2"
    assert book_of(folder, retries=2).may_follow("a", attempts) is True


def test_scenes_on_the_network_are_repeated_later(folder):
    book = book_of(folder)
    book.fail(book.take("a"), InputError("away"))
    attempts = book.listing()["a"]
    assert book.may_follow("a", attempts, Unit("a", ("http://x.org/a.tif",)).rest) is None
    assert book.may_follow("a", attempts, Unit("a", ("a.tif",)).rest) is True
    failed = folder.claims / "a.1.failed"
    os.utime(failed, (failed.stat().st_mtime - 31,) * 2)
    assert book.may_follow("a", attempts, Unit("a", ("/vsicurl/http://x.org/a.tif",)).rest) is True


def test_what_kills_its_workers_is_given_up(folder):
    book = book_of(folder)
    for after in range(MOST_DEATHS):
        age(book.take("a", after), 100)
    attempts = book.listing()["a"]
    assert book.may_follow("a", attempts) is False and "died 10 times" in book.reason("a", attempts)
    assert book_of(folder, retries=3).may_follow("a", attempts) is True


def test_a_released_scene_is_free_at_once(folder):
    book = book_of(folder)
    book.release(book.take("a"))
    assert book.listing() == {} and book.take("a") is not None


def test_other_plans_options_and_folders_are_refused(folder, tmp_path):
    units = [Unit("a", ("a.tif",))]
    folder.open(units, {"task": "landcover"})
    with pytest.raises(InputError, match="plan has changed"):
        folder.open([*units, Unit("b", ("b.tif",))], {"task": "landcover"})
    with pytest.raises(InputError, match="task was 'landcover', now 'embed'"):
        folder.open(units, {"task": "embed"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("")
    with pytest.raises(InputError, match="letter.txt"):
        ArchiveFolder(tmp_path / "mine").open(units, {})


def test_parts_of_scenes_are_shown_and_a_lost_one_ends(folder, monkeypatch):
    """A worker that was suspended learns while it maps that another has taken over."""
    monkeypatch.setattr("backend.archive.scene_run.LOOK_S", -1.0)
    shown, lost, units = [], [], [Unit("a", ("a.tif",)), Unit("b", ("b.tif",))]

    class Seen(Reporter):
        def progress(self, done, total, **figures):
            shown.append((done, total))

    def task(unit, held, context):
        for part in (1, 2, 1, 4):
            context.reporter.progress(part, 4)
        if unit.name == "b" and not lost:
            lost.append(age(held, 100))
            book_of(folder).release(book_of(folder).take("b", 1))
            context.reporter.progress(4, 4)
            raise AssertionError("goes on")
        (held.work / "whole").write_text("")

    book = AttemptBook(folder, "w", 0, 60.0)
    state = ArchiveWorker(units, book, task, MapContext(Seen())).run()
    assert state.finished == {"a", "b"} and state.given_up == {} and os.listdir(folder.claims) == []
    assert shown[:5] == [(0.25, 2), (0.5, 2), (0.5, 2), (0.99, 2), (1, 2)] and shown[5] == (1.25, 2)


@pytest.mark.parametrize("links", [True, False])
def test_of_plans_that_begin_together_one_gets_the_folder(tmp_path, monkeypatch, links):
    def no_links(*paths):
        raise OSError(95, "Operation not supported")

    if not links:
        monkeypatch.setattr(os, "link", no_links)
    plans, began, start = [[Unit(name, (f"{name}.tif",))] for name in "abcd"], [], threading.Barrier(4)

    def begin(units):
        start.wait()
        try:
            ArchiveFolder(tmp_path / "out").open(units, {"task": units[0].name})
        except InputError:
            return
        began.append(units)

    threads = [threading.Thread(target=begin, args=(units,)) for units in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (units,) = began
    assert (tmp_path / "out/plan.csv").read_text() == plan_text(units)
    assert json.loads((tmp_path / "out/archive.json").read_text())["options"] == {"task": units[0].name}
