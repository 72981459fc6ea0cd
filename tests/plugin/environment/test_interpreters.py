"""Test the search for interpreters to build on, on three systems, and their refusal."""

from __future__ import annotations

import json
import ntpath
import sys

import pytest

from sardino_qgis.environment.interpreters import UnfitError, candidates, find_base
from sardino_qgis.environment.kinds import Kind


def nothing(_):
    return None


def test_candidates_on_windows_are_in_the_prefix():
    root = r"C:\Program Files\QGIS 3.40.4"
    apps = [rf"{root}\apps\Python39\python.exe", rf"{root}\apps\Python312\python.exe"]
    found = candidates(
        "win32",
        rf"{root}\bin\qgis-ltr-bin.exe",
        rf"{root}\apps\Python312",
        {"LOCALAPPDATA": r"C:\Users\ann\AppData\Local"},
        {"py": r"C:\Windows\py.exe", "python": r"C:\Users\ann\AppData\Local\Microsoft\WindowsApps\python.exe"}.get,
        lambda pattern: apps if ntpath.normpath(pattern).startswith(root) else [],
    )
    assert found[0] == rf"{root}\apps\Python312\python.exe"
    assert not any("qgis-ltr-bin" in path or "WindowsApps" in path for path in found)
    assert found.index(apps[1]) < found.index(apps[0]), "the newest first"
    assert found[-1] == r"C:\Windows\py.exe" and len(found) == len(set(found))


def test_candidates_on_macos_include_the_bundle_not_the_stub():
    app = "/Applications/QGIS.app/Contents/MacOS"
    found = candidates("darwin", f"{app}/QGIS", app, {}, {"python3": "/usr/bin/python3"}.get, lambda _: [])
    assert found[0] == f"{app}/bin/python3"
    assert "/Applications/QGIS.app/Contents/Frameworks/Python.framework/Versions/Current/bin/python3" in found
    assert "/opt/homebrew/bin/python3" in found
    assert f"{app}/QGIS" not in found and "/usr/bin/python3" not in found


def test_candidates_on_linux_begin_with_the_prefix():
    found = candidates("linux", "/usr/bin/qgis", "/usr", {}, {"python3.12": "/opt/bin/python3.12"}.get, lambda _: [])
    assert found == ["/usr/bin/python3", "/usr/bin/bin/python3", "/opt/bin/python3.12"]
    in_shell = candidates("linux", "/home/ann/v/bin/python", "/usr", {}, nothing, lambda _: [])
    assert in_shell[:2] == ["/usr/bin/python3", "/home/ann/v/bin/python"]


def answering(script, **changes):
    facts = {"path": sys.executable, "version": [3, 12], "platform": "linux", "machine": "x86_64", "bits": 64,
             "missing": [], **changes}  # fmt: skip
    return str(script(f"print({json.dumps(json.dumps(facts))})", "python3"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": [3, 8]}, "Python 3.8, but at least 3.9"),
        ({"bits": 32}, "64-bit"),
        (
            {"platform": "darwin", "version": [3, 14]},
            "no build of rasterio for darwin-x86_64 with Python 3.14; take Python 3.9, 3.10",
        ),
        ({"missing": ["ssl"]}, "module ssl is missing"),
        ({"missing": ["ensurepip"]}, "apt install python3-venv"),
    ],
)
def test_unsuitable_interpreter_is_refused_with_the_reason(script, changes, why):
    with pytest.raises(UnfitError, match=why):
        find_base(answering(script, **changes), {}, ("ssl", "ensurepip"))


def test_what_pytorch_lacks_is_said_with_the_kind_that_works(script):
    with pytest.raises(UnfitError, match="Python 3.9, but at least 3.10"):
        find_base(answering(script, version=[3, 9]), {}, (), Kind.PYTORCH)
    mac = answering(script, platform="darwin")
    with pytest.raises(UnfitError, match="no build of .*torch, .* darwin-x86_64 with Python 3.12; choose For mapping"):
        find_base(mac, {}, (), Kind.PYTORCH)
    assert find_base(mac, {}, ()).platform == "darwin-x86_64"


def test_programs_that_are_no_interpreter_are_refused(script, tmp_path):
    with pytest.raises(UnfitError, match="no such program"):
        find_base(str(tmp_path / "python"), {}, ())
    with pytest.raises(UnfitError, match="doesn't start"):
        find_base(str(script("print('hello')", "python3")), {}, ())


def test_windows_processor_names_match_the_list(script):
    assert find_base(answering(script, platform="win32", machine="AMD64"), {}, ()).platform == "win32-x86_64"
