"""Convert QGIS's proxy settings to the environment variables of pip and uv. Call it on the main thread."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from qgis.core import QgsNetworkAccessManager
from qgis.PyQt.QtNetwork import QNetworkProxy

_SCHEMES = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
}


def proxy_variables() -> dict[str, str]:
    """Return the proxy that is set in QGIS, with user name and password, and the hosts to reach without it.

    Empty without a proxy, and with "use system proxy": pip and uv find the system's themselves.
    """
    manager = QgsNetworkAccessManager.instance()
    proxy = manager.fallbackProxy()
    scheme = _SCHEMES.get(proxy.type())
    if scheme is None or not proxy.hostName():
        return {}
    login = ""
    if proxy.user():
        login = quote(proxy.user(), safe="") + ":" + quote(proxy.password(), safe="") + "@"
    port = f":{proxy.port()}" if proxy.port() else ""
    url = f"{scheme}://{login}{proxy.hostName()}{port}"
    # QGIS stores the beginnings of URLs here; pip and uv expect hosts.
    direct = (urlsplit(address).hostname or address for address in manager.excludeList() + manager.noProxyList())
    hosts = ",".join(dict.fromkeys(host for host in direct if host))
    found = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), url)
    return {**found, **(dict.fromkeys(("NO_PROXY", "no_proxy"), hosts) if hosts else {})}
