"""Test the environment variables of pip, uv and the backend, and the hiding of private text."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import QgsNetworkAccessManager, QgsSettings

from sardino_qgis.environment import variables
from sardino_qgis.environment.proxy import proxy_variables
from sardino_qgis.environment.request import InstallRequest, variables_for
from sardino_qgis.environment.texts import discreet, shortened
from sardino_qgis.environment.variables import worker_environment


def test_pip_settings_reach_uv_except_with_wheels(monkeypatch, tmp_path):
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


def test_proxy_of_qgis_becomes_variables(proxy_settings):
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


def test_system_proxy_is_left_to_pip(proxy_settings):
    proxy_settings()
    assert proxy_variables() == {}
    proxy_settings(proxyEnabled=True, proxyType="DefaultProxy")
    assert proxy_variables() == {}


def test_home_folder_is_shortened(monkeypatch, tmp_path):
    home = str(Path.home())
    assert shortened(f"in {home}/x, and {home}") == "in ~/x, and ~"
    assert shortened(f"{home}son/x") == f"{home}son/x"


def test_worker_inherits_no_settings_of_qgis_libraries():
    dropped = {
        name: "x"
        for name in (
            "PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH", "VIRTUAL_ENV", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB",
            "PROJ_DATA", "LD_LIBRARY_PATH", "QT_PLUGIN_PATH", "QGIS_PREFIX_PATH",
        )
    }  # fmt: skip
    kept = {"PATH": "/bin", "HOME": "/h", "SARDINO_MODELS": "/m", "CUDA_VISIBLE_DEVICES": "1", "https_proxy": "p"}
    cleaned = worker_environment({**dropped, **kept})
    assert not dropped.keys() & cleaned.keys()
    assert kept.items() <= cleaned.items()
    assert cleaned["PYTHONUTF8"] == "1"


def test_folders_of_qgis_leave_the_search_path_on_windows(monkeypatch):
    monkeypatch.setattr(variables.os, "pathsep", ";")
    assert variables._clean_search_path("/osgeo/bin;/usr/bin;/osgeo/apps/x", "/osgeo") == "/usr/bin"
