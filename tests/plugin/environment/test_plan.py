"""Test the plan of an installation: folder, builds of PyTorch, pinned lists, description."""

from __future__ import annotations

from pathlib import Path

import pytest

from sardino_qgis.environment import pinned
from sardino_qgis.environment.errors import InstallError
from sardino_qgis.environment.interpreters import Base
from sardino_qgis.environment.kinds import Kind, kind_of
from sardino_qgis.environment.pinned import LISTED, builds, nvidia_card
from sardino_qgis.environment.plan import Plan, make_plan, offers
from sardino_qgis.environment.request import InstallRequest
from sardino_qgis.environment.store import default_profile


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {}, ".local/share/QGIS/QGIS3/profiles/default"),
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/QGIS/QGIS3/profiles/default"),
        ("darwin", {}, "Library/Application Support/QGIS/QGIS3/profiles/default"),
        ("win32", {}, "AppData/Roaming/QGIS/QGIS3/profiles/default"),
        ("win32", {"APPDATA": "/roaming"}, "/roaming/QGIS/QGIS3/profiles/default"),
        ("linux", {"QGIS_CUSTOM_CONFIG_PATH": "/own"}, "/own/profiles/default"),
    ],
)
def test_default_profile_is_found_without_qgis(tmp_path, system, variables, expected):
    assert default_profile(Path("/a/checkout/sardino_qgis"), system, variables, tmp_path) == tmp_path / expected


def test_profile_of_an_installed_plugin(tmp_path):
    assert default_profile(tmp_path / "python" / "plugins" / "sardino_qgis", "linux", {}) == tmp_path


def test_profile_of_qgis_4_is_used_if_there_is_no_other(tmp_path):
    (tmp_path / ".local" / "share" / "QGIS" / "QGIS4").mkdir(parents=True)
    assert "QGIS4" in str(default_profile(Path("/x"), "linux", {}, tmp_path))


@pytest.mark.parametrize(
    ("platform", "gpu", "source", "kinds"),
    [
        ("linux-x86_64", False, "", ["cpu", "listed"]),
        ("linux-x86_64", True, "", ["listed", "cpu"]),
        ("linux-x86_64", False, "/wheels", ["source", "cpu", "listed"]),
        ("win32-x86_64", True, "", ["listed"]),
        ("win32-x86_64", True, "/wheels", ["source", "listed"]),
        ("darwin-arm64", False, "", ["listed"]),
    ],
)
def test_builds_depend_on_platform_card_and_source(platform, gpu, source, kinds):
    assert [build.kind for build in builds(platform, gpu, source)] == kinds


def test_card_is_named_by_its_driver(script, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_card({}, "linux") == ""
    tool = script("print('NVIDIA GeForce RTX 4070')", "nvidia-smi")
    assert nvidia_card({}, "linux") == "NVIDIA GeForce RTX 4070"
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert nvidia_card({}, "linux") == "", "a card without a working driver is none"


def test_list_has_hashes_where_they_are_known():
    known = pinned.read(Kind.PYTORCH, "linux-x86_64", "3.11")
    assert known.hashed and known.size > known.size_without_torch > 0
    rest = known.text(torch=False)
    assert "rasterio==" in rest and "--hash=sha256:" in rest
    assert not any(word in rest for word in ("nvidia-", "triton==", "torch==", "torchvision==", "\npip=="))
    assert "nvidia-" in known.text() and known.pip().startswith("pip==")
    pair = known.pair("+cpu").splitlines()
    assert pair[0].startswith("torch==") and "+cpu" in pair[0]
    assert pair[1].startswith("torchvision==") and "+cpu" not in pair[1] and len(pair) == 2

    unknown = pinned.read(Kind.PYTORCH, "win32-aarch64", "3.12")
    assert not unknown.hashed and unknown.size == 0 and "timm==" in unknown.text() and "rasterio" in unknown.text()


def test_the_list_for_mapping_has_no_pytorch():
    known = pinned.read(Kind.MAPPING, "linux-x86_64", "3.11")
    assert known.hashed and 0 < known.size <= 130, "at most 130 MB are downloaded"
    for text in (known.text(), pinned.read(Kind.MAPPING, "win32-aarch64", "3.12").text()):
        assert "openvino" in text and "scikit-learn" in text
        assert not any(word in text for word in ("torch", "timm", "nvidia"))
    assert pinned.lacking(Kind.PYTORCH, "darwin-x86_64", "3.12") and not known.pip()
    assert pinned.read(Kind.MAPPING, "darwin-x86_64", "3.12").hashed, "Macs with Intel processors map"


def plan_for(kind, platform, card="", source="", version="3.12"):
    listed = pinned.read(kind, platform, version)
    request = InstallRequest(Path.home() / "env", source=source, kind=kind)
    ways = builds(platform, bool(card), source) if kind is Kind.PYTORCH else [LISTED]
    return Plan(request, Base("/usr/bin/python3", version, platform), listed, ways, "", card)


def test_plan_describes_size_folder_interpreter_and_card():
    text = "\n".join(plan_for(Kind.PYTORCH, "win32-x86_64", "RTX 4070").lines())
    assert "about 324 MB to download" in text and "~/env" in text.replace("\\", "/") and "/usr/bin/python3" in text
    assert "RTX 4070" in text and "does not use the card" in text
    assert "does not use the card" not in "\n".join(plan_for(Kind.PYTORCH, "win32-x86_64", "RTX", "/wheels").lines())
    text = "\n".join(plan_for(Kind.PYTORCH, "linux-x86_64", version="3.15").lines())
    assert "No hashes are known for linux-x86_64 with Python 3.15" in text and "unknown for this machine" in text


@pytest.mark.parametrize(
    ("platform", "card", "said"),
    [
        ("linux-x86_64", "", "Graphics card: no NVIDIA card found"),
        (
            "linux-x86_64",
            "RTX 4070",
            "Graphics card: RTX 4070. This installation computes on the processor; With PyTorch",
        ),
        ("darwin-arm64", "", "Graphics card: that of the Apple processor. This installation computes on the processor"),
    ],
)
def test_plan_for_mapping_says_what_the_card_would_need(platform, card, said):
    text = "\n".join(plan_for(Kind.MAPPING, platform, card).lines())
    assert said in text and "PyTorch:" not in text and "Packages: OpenVINO, rasterio" in text


def test_both_kinds_are_offered_with_their_sizes():
    found = offers(plan_for(Kind.MAPPING, "linux-x86_64", "RTX 4070"))
    assert found[Kind.MAPPING].startswith("About 129 MB to download, 4")
    assert found[Kind.PYTORCH].startswith("For NVIDIA") and "2.9 GB to download" in found[Kind.PYTORCH]
    assert offers(plan_for(Kind.MAPPING, "darwin-x86_64"))[Kind.PYTORCH] == Kind.PYTORCH.use


def test_kind_of_an_environment_is_seen_without_starting_it(tmp_path):
    python = tmp_path / "bin" / "python"
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    assert kind_of("") is None and kind_of(python) is None, "no virtual environment"
    settings = tmp_path / "pyvenv.cfg"
    settings.write_text("include-system-site-packages = false\n")
    assert kind_of(python) is None, "nothing is installed"
    (packages / "openvino-2024.6.0.dist-info").mkdir()
    assert kind_of(python) is Kind.MAPPING
    settings.write_text("include-system-site-packages = true\n")
    assert kind_of(python) is None, "PyTorch may be elsewhere"
    (packages / "torch-2.13.0.dist-info").mkdir()
    assert kind_of(python) is Kind.PYTORCH, "as an earlier version of the plugin installed it"


def test_index_with_a_folder_of_wheels_is_refused(tmp_path):
    with pytest.raises(InstallError, match="no package index is used"):
        make_plan(InstallRequest(tmp_path, wheels=str(tmp_path), source="https://example.org/simple"))
    with pytest.raises(InstallError, match="no folder"):
        make_plan(InstallRequest(tmp_path, wheels=str(tmp_path / "nowhere")))
