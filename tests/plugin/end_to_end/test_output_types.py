"""Maps are GeoTIFFs: names that promise another format are refused before anything is written."""

from __future__ import annotations

import processing
import pytest
from qgis.core import QgsProcessingException


@pytest.mark.parametrize("parameter, ending", [("OUTPUT", "gpkg"), ("OUTPUT", "vrt"), ("OUTPUT_CONFIDENCE", "png")])
def test_maps_named_like_another_format_are_refused(scene, tmp_path, parameter, ending):
    given = {"INPUT": str(scene), "MODEL": "tiny", "OUTPUT": str(tmp_path / "o.tif")}
    given[parameter] = str(tmp_path / f"x.{ending}")
    with pytest.raises(QgsProcessingException, match=rf"\.{ending}"):
        processing.run("sardino:landcover", given)
    assert [path.name for path in tmp_path.iterdir()] == [scene.name]
