"""The hashed list of the plugin's own environment follows runtime.txt, and each pin can be checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tools import lock

ROOT = Path(__file__).resolve().parents[2]
LOCKED = (ROOT / "requirements" / "locked.txt").read_text()
COVERED = re.findall(r"^# covers (\S+) (\d+)\.(\d+) (\d+) (\d+)$", LOCKED, re.M)
PINS = [Requirement(line.rstrip(" \\")) for line in LOCKED.splitlines() if line and line[0] not in "# "]
WANTED = [
    Requirement(line) for line in lock.SOURCE.read_text().splitlines() if line.strip() and not line.startswith("#")
]


def test_it_covers_the_platforms_that_the_tool_names() -> None:
    found = {(platform, (int(major), int(minor))) for platform, major, minor, *_ in COVERED}
    assert found == {(platform, python) for platform in lock.PLATFORMS for python in lock.PYTHONS}
    assert all(0 < int(rest) < int(size) for *_, size, rest in COVERED)


@pytest.mark.parametrize("platform", lock.PLATFORMS)
@pytest.mark.parametrize("python", lock.PYTHONS)
def test_runtime_packages_are_pinned_to_allowed_versions(platform: str, python: tuple[int, int]) -> None:
    values = lock.marker_environment(platform, python)
    pinned = {}
    for pin in PINS:
        if pin.marker is None or pin.marker.evaluate(values):
            assert pin.name not in pinned, f"{pin.name} is pinned twice"
            pinned[pin.name] = str(pin.specifier).removeprefix("==")
    for wanted in WANTED:
        if wanted.marker is None or wanted.marker.evaluate(values):
            allowed = wanted.specifier.contains(pinned.get(wanted.name, "0"))
            assert allowed, f"{wanted}: pinned {pinned.get(wanted.name)}; run python -m tools.lock"
    assert "pip" in pinned


def test_every_pin_has_hashes() -> None:
    blocks = re.sub(r"^#.*\n", "", LOCKED, flags=re.M).replace("\\\n", "").splitlines()
    assert len(blocks) == len(PINS)
    for block in blocks:
        assert re.search(r" --hash=sha256:[0-9a-f]{64}$", block), block


def package(name: str, *files: str, marker: str = "") -> dict[str, object]:
    wheels = [
        {"url": f"https://example.org/{file}", "size": 10**6, "hashes": {"sha256": f"{index:064x}"}}
        for index, file in enumerate(files)
    ]
    return {"name": name, "version": "1.0", "wheels": wheels, **({"marker": marker} if marker else {})}


def test_a_platform_for_which_a_wheel_is_missing_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    text = lock.render(
        [
            package("everywhere", "everywhere-1.0-py3-none-any.whl"),
            package("some", "some-1.0-cp312-cp312-win_amd64.whl", "some-1.0-cp312-cp312-musllinux_1_2_x86_64.whl"),
            package("linux_only", marker="sys_platform == 'linux'"),
        ]
    )
    assert "# covers win32-x86_64 3.12 2 2\n" in text and text.count("# covers ") == 1
    assert "linux_only" not in text
    assert text.count("--hash") == 2, "hashes of files that fit nothing covered are not listed"
    assert "linux-x86_64 with Python 3.12 is left out: no wheel of some, linux_only" in capsys.readouterr().out
