"""Replace the settings that a shell holds for another installation of GDAL and PROJ."""

from __future__ import annotations

import os

# GDAL_DATA, PROJ_DATA … name the files of another installation, and GDAL_VRT_ENABLE_PYTHON lets a raster
# run code. The plugin clears them too (`sardino_qgis/environment/variables.py`).
_CLEARED = ("GDAL_", "GDALRC", "PROJ_", "OGR_", "CPL_", "OSR_")
# Proxies and certificates, which a raster on the network may need.
_KEPT = ("GDAL_HTTP_", "GDAL_PROXY_", "PROJ_CURL_CA_BUNDLE")
# Set as environment variables, which take precedence over the user's gdalrc file.
_FORCED = {"GDAL_VRT_ENABLE_PYTHON": "NO", "PROJ_NETWORK": "OFF"}
# No server is waited for without end; seconds, and bytes a second.
_TIMEOUTS = {
    "GDAL_HTTP_CONNECTTIMEOUT": "5", "GDAL_HTTP_TIMEOUT": "30",
    "GDAL_HTTP_LOW_SPEED_TIME": "10", "GDAL_HTTP_LOW_SPEED_LIMIT": "1",
}  # fmt: skip


def clear_settings() -> None:
    """Replace the settings of GDAL and PROJ in the environment of this process; call before a raster is opened."""
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith(_CLEARED) and not upper.startswith(_KEPT):
            del os.environ[name]
    os.environ.update(_FORCED)
    for name, value in _TIMEOUTS.items():
        os.environ.setdefault(name, value)
