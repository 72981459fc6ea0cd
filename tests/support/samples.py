"""Build samples of own classes as GeoJSON, on a grid of 10 m."""

from __future__ import annotations

from affine import Affine

UTM = {"crs": "EPSG:32633", "transform": Affine(10, 0, 5e5, 0, -10, 5e6)}


def square(x, y, side):
    ring = [[x, y], [x + side, y], [x + side, y - side], [x, y - side], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(features, **more):
    return {"type": "FeatureCollection", "features": features, **more}


def feature(geometry, label):
    return {"type": "Feature", "geometry": geometry, "properties": {"cover": label}}


DEGREES = {"type": "Point", "coordinates": [15.0, 45.0]}
