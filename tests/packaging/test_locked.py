"""The hashed lists of the plugin's own environments follow the requirements, and each pin can be checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product

import pytest
from packaging.requirements import Requirement

from tools import lock

MAPPING, PYTORCH = lock.LISTS


@dataclass
class Locked:
    """A written list, and what it is of."""

    wanted: lock.List

    def __post_init__(self) -> None:
        self.text = self.wanted.path.read_text()
        self.pins = [Requirement(line.rstrip(" \\")) for line in self.text.splitlines() if line and line[0] not in "# "]
        lines = [line for name in self.wanted.sources for line in (lock.FOLDER / name).read_text().splitlines()]
        self.requirements = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


LOCKED = [Locked(wanted) for wanted in lock.LISTS]
each_list = pytest.mark.parametrize("locked", LOCKED, ids=[locked.wanted.kind for locked in LOCKED])


@each_list
def test_it_says_for_each_platform_what_it_covers_or_lacks(locked: Locked) -> None:
    found = re.findall(r"^# (?:covers|lacks) (\S+) (\d+)\.(\d+) .+$", locked.text, re.M)
    told = {(platform, (int(major), int(minor))) for platform, major, minor in found}
    assert told == {(platform, python) for platform in lock.PLATFORMS for python in locked.wanted.pythons}
    sizes = re.findall(r"^# covers \S+ \S+ (\d+) (\d+)$", locked.text, re.M)
    assert len(sizes) >= 20 and all(0 < int(rest) <= int(size) for size, rest in sizes)


def test_mapping_takes_130_megabytes_on_systems_of_users() -> None:
    text = LOCKED[0].text
    for platform in ("linux-x86_64", "win32-x86_64", "darwin-arm64", "darwin-x86_64"):
        for python in ("3.9", "3.10", "3.11", "3.12", "3.13"):
            size = re.search(rf"^# covers {platform} {re.escape(python)} (\d+) ", text, re.M)
            # The wheels for old Pythons are larger.
            assert size and int(size.group(1)) <= (130 if python > "3.10" and len(python) > 3 else 140), (
                platform,
                python,
            )


@each_list
def test_required_packages_are_pinned_to_allowed_versions(locked: Locked) -> None:
    for platform, python in product(lock.PLATFORMS, locked.wanted.pythons):
        if f"# covers {platform} {lock.dotted(python)} " not in locked.text:
            continue
        values = lock.marker_environment(platform, python)
        pinned = {}
        for pin in locked.pins:
            if pin.marker is None or pin.marker.evaluate(values):
                assert pin.name not in pinned, f"{pin.name} is pinned twice"
                pinned[pin.name] = str(pin.specifier).removeprefix("==")
        for wanted in locked.requirements:
            if wanted.marker is None or wanted.marker.evaluate(values):
                allowed = wanted.specifier.contains(pinned.get(wanted.name, "0"))
                assert allowed, f"{wanted}: pinned {pinned.get(wanted.name)}; run python -m tools.lock"
        assert ("pip" in pinned) is locked.wanted.pip


@each_list
def test_every_pin_has_hashes(locked: Locked) -> None:
    blocks = re.sub(r"^#.*\n", "", locked.text, flags=re.M).replace("\\\n", "").splitlines()
    assert len(blocks) == len(locked.pins)
    for block in blocks:
        assert re.search(r" --hash=sha256:[0-9a-f]{64}$", block), block


def package(name: str, *files: str, marker: str = "") -> dict[str, object]:
    wheels = [
        {"url": f"https://example.org/{file}", "size": 10**6, "hashes": {"sha256": f"{index:064x}"}}
        for index, file in enumerate(files)
    ]
    return {"name": name, "version": "1.0", "wheels": wheels, **({"marker": marker} if marker else {})}


def test_a_platform_without_a_wheel_is_named_with_the_package() -> None:
    text = lock.render(
        [
            package("everywhere", "everywhere-1.0-py3-none-any.whl"),
            package("some", "some-1.0-cp312-cp312-win_amd64.whl", "some-1.0-cp312-cp312-musllinux_1_2_x86_64.whl"),
            package("linux_only", marker="sys_platform == 'linux'"),
        ],
        MAPPING,
    )
    assert "# covers win32-x86_64 3.12 2 2\n" in text and text.count("# covers ") == 1
    assert "linux_only" not in re.sub("^#.*", "", text, flags=re.M)
    assert text.count("--hash") == 2, "hashes of files that fit nothing covered are not listed"
    assert "# lacks linux-x86_64 3.12 some linux_only\n" in text
