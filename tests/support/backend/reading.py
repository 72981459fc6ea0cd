"""Map land cover, read rasters, and keep what is logged."""

from __future__ import annotations

import rasterio

from backend.maps.landcover import landcover
from backend.maps.request import MapContext, Request
from tests.support.backend.listener import Listener


def read(path):
    with rasterio.open(path) as file:
        return file.read()


def mapped(model, scene, folder, engine, **options):
    listener = Listener()
    request = Request(str(scene), folder / f"{engine}.tif", model, engine=engine, **options)
    shares = folder / f"{engine}-shares.tif"
    facts = landcover(request, probabilities=shares, context=MapContext(listener))
    return read(folder / f"{engine}.tif"), read(shares), facts, listener.lines
