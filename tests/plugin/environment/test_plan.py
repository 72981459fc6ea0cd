"""What an installation would do: interpreters, profiles and builds on all three systems, proxy, what is not told."""

from __future__ import annotations

import json
import ntpath
import sys
from pathlib import Path

import pytest
from qgis.core import QgsNetworkAccessManager, QgsSettings

from sardino_qgis.environment import locate, pinned
from sardino_qgis.environment.diagnose import report
from sardino_qgis.environment.errors import InstallError
from sardino_qgis.environment.interpreters import Base, UnfitError, candidates, find_base
from sardino_qgis.environment.pinned import builds, nvidia_card
from sardino_qgis.environment.plan import InstallRequest, Plan, discreet, make_plan, shortened, variables_for
from sardino_qgis.environment.proxy import proxy_variables
from sardino_qgis.environment.store import default_profile


def nothing(_):
    return None


# --- Interpreters ---------------------------------------------------------------------------------------------


def test_on_windows_the_interpreter_lies_in_the_prefix_and_not_in_sys_executable():
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


def test_on_macos_the_bundle_is_looked_into_and_the_stand_in_of_apple_is_not_started():
    app = "/Applications/QGIS.app/Contents/MacOS"
    found = candidates("darwin", f"{app}/QGIS", app, {}, {"python3": "/usr/bin/python3"}.get, lambda _: [])
    assert found[0] == f"{app}/bin/python3"
    assert "/Applications/QGIS.app/Contents/Frameworks/Python.framework/Versions/Current/bin/python3" in found
    assert "/opt/homebrew/bin/python3" in found
    assert f"{app}/QGIS" not in found and "/usr/bin/python3" not in found


def test_on_linux_the_prefix_comes_before_path():
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
        ({"version": [3, 9]}, "Python 3.9, but at least 3.10"),
        ({"bits": 32}, "64-bit"),
        ({"platform": "darwin"}, "Intel"),
        ({"missing": ["ssl"]}, "module ssl is missing"),
        ({"missing": ["ensurepip"]}, "apt install python3-venv"),
    ],
)
def test_an_interpreter_that_does_not_do_is_refused_with_the_reason(script, changes, why):
    with pytest.raises(UnfitError, match=why):
        find_base(answering(script, **changes), {}, ("ssl", "ensurepip"))


def test_what_is_no_interpreter_is_refused(script, tmp_path):
    with pytest.raises(UnfitError, match="no such program"):
        find_base(str(tmp_path / "python"), {}, ())
    with pytest.raises(UnfitError, match="doesn't start"):
        find_base(str(script("print('hello')", "python3")), {}, ())


def test_windows_names_of_processors_are_those_of_the_list(script):
    assert find_base(answering(script, platform="win32", machine="AMD64"), {}, ()).platform == "win32-x86_64"


# --- Where to ---------------------------------------------------------------------------------------------------


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
def test_the_profile_without_asking_qgis(tmp_path, system, variables, expected):
    assert default_profile(Path("/a/checkout/sardino_qgis"), system, variables, tmp_path) == tmp_path / expected


def test_an_installed_plugin_tells_its_profile(tmp_path):
    assert default_profile(tmp_path / "python" / "plugins" / "sardino_qgis", "linux", {}) == tmp_path


def test_qgis_4_is_taken_where_it_is_alone(tmp_path):
    (tmp_path / ".local" / "share" / "QGIS" / "QGIS4").mkdir(parents=True)
    assert "QGIS4" in str(default_profile(Path("/x"), "linux", {}, tmp_path))


# --- What ---------------------------------------------------------------------------------------------------------


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
def test_the_build_with_cuda_where_there_is_a_card_and_one_without_after_it(platform, gpu, source, kinds):
    assert [build.kind for build in builds(platform, gpu, source)] == kinds


def test_the_card_is_what_its_driver_tells(script, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_card({}, "linux") == ""
    tool = script("print('NVIDIA GeForce RTX 4070')", "nvidia-smi")
    assert nvidia_card({}, "linux") == "NVIDIA GeForce RTX 4070"
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert nvidia_card({}, "linux") == "", "a card without a working driver is none"


def test_lists_with_hashes_where_they_are_known_and_without_elsewhere():
    known = pinned.read("linux-x86_64", "3.11")
    assert known.hashed and known.size > known.size_without_torch > 0
    rest = known.text(torch=False)
    assert "rasterio==" in rest and "--hash=sha256:" in rest
    assert not any(word in rest for word in ("nvidia-", "triton==", "torch==", "torchvision==", "\npip=="))
    assert "nvidia-" in known.text() and known.pip().startswith("pip==")
    pair = known.pair("+cpu").splitlines()
    assert pair[0].startswith("torch==") and "+cpu" in pair[0]
    assert pair[1].startswith("torchvision==") and "+cpu" not in pair[1] and len(pair) == 2

    unknown = pinned.read("win32-aarch64", "3.12")
    assert not unknown.hashed and unknown.size == 0 and "timm==" in unknown.text()


def plan_for(platform, card="", source="", version="3.12"):
    listed = pinned.read(platform, version)
    request = InstallRequest(Path.home() / "env", source=source)
    ways = builds(platform, bool(card), source)
    return Plan(request, Base("/usr/bin/python3", version, platform), listed, ways, "", card)


def test_the_plan_says_size_place_interpreter_and_what_a_card_needs():
    text = "\n".join(plan_for("win32-x86_64", "RTX 4070").lines())
    assert "about 0.3 GB to download" in text and "~/env" in text.replace("\\", "/") and "/usr/bin/python3" in text
    assert "RTX 4070" in text and "does not use the card" in text
    assert "does not use the card" not in "\n".join(plan_for("win32-x86_64", "RTX", "/wheels").lines())
    text = "\n".join(plan_for("linux-x86_64", version="3.15").lines())
    assert "No hashes are known for linux-x86_64 with Python 3.15" in text and "unknown for this machine" in text


def test_an_index_beside_a_folder_of_wheels_is_refused(tmp_path):
    with pytest.raises(InstallError, match="no index is asked"):
        make_plan(InstallRequest(tmp_path, wheels=str(tmp_path), source="https://example.org/simple"))
    with pytest.raises(InstallError, match="no folder"):
        make_plan(InstallRequest(tmp_path, wheels=str(tmp_path / "nowhere")))


# --- What programs inherit, and what is never told --------------------------------------------------------------


def test_settings_of_pip_reach_uv_and_none_counts_beside_a_folder_of_wheels(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/a /b")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "not there"))
    for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    found = variables_for(InstallRequest(tmp_path, proxy={"https_proxy": "http://p:1"}))
    assert found["UV_DEFAULT_INDEX"] == "https://example.org/simple" and found["UV_FIND_LINKS"] == "/a,/b"
    assert found["https_proxy"] == "http://p:1"
    assert not {"PIP_TARGET", "SSL_CERT_DIR"} & found.keys()
    alone = variables_for(InstallRequest(tmp_path, wheels=str(tmp_path)))
    assert not {"PIP_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_FIND_LINKS"} & alone.keys()


@pytest.fixture
def proxy_settings(qgis_app):
    """Set QGIS's proxy as its options dialog does."""
    names = ("proxyEnabled", "proxyType", "proxyHost", "proxyPort", "proxyUser", "proxyPassword", "noProxyUrls")

    def put(**values):
        for name in names:
            QgsSettings().remove(f"proxy/{name}")
        for name, value in values.items():
            QgsSettings().setValue(f"proxy/{name}", value)
        QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()

    yield put
    put()


def test_the_proxy_of_qgis_becomes_variables(proxy_settings):
    proxy_settings(
        proxyEnabled=True, proxyType="HttpProxy", proxyHost="proxy.example.org", proxyPort="3128",
        proxyUser="ann", proxyPassword="p@ss:w/rd", noProxyUrls=["http://intranet.example.org/x"],
    )  # fmt: skip
    found = proxy_variables()
    assert found["HTTPS_PROXY"] == found["http_proxy"] == "http://ann:p%40ss%3Aw%2Frd@proxy.example.org:3128"
    assert "intranet.example.org" in found["NO_PROXY"]
    assert "p%40ss" not in discreet(f"cannot connect to {found['HTTPS_PROXY']}")
    proxy_settings(proxyEnabled=True, proxyType="Socks5Proxy", proxyHost="p.example.org", proxyPort="1080")
    assert proxy_variables()["https_proxy"] == "socks5h://p.example.org:1080"


def test_no_proxy_and_the_proxy_of_the_system_are_left_to_pip(proxy_settings):
    proxy_settings()
    assert proxy_variables() == {}
    proxy_settings(proxyEnabled=True, proxyType="DefaultProxy")
    assert proxy_variables() == {}


def test_the_home_folder_is_shortened_and_names_that_begin_like_it_are_not(monkeypatch, tmp_path):
    home = str(Path.home())
    assert shortened(f"in {home}/x, and {home}") == "in ~/x, and ~"
    assert shortened(f"{home}son/x") == f"{home}son/x"


def test_diagnostics_tell_of_a_missing_backend_what_to_do(no_interpreter):
    text = report()
    assert "QGIS: 3." in text and "Backend: none." in text and "Set up backend…" in text
    assert str(Path.home()) + "/" not in text or str(Path.home()) == "/"


def test_diagnostics_tell_why_a_backend_fails(no_interpreter, script):
    locate.store_interpreter(str(script("import sys; sys.exit('ImportError: no torch')", "python")))
    assert "it fails: ImportError: no torch" in report()
