"""Fill nodata in a tile from the nearest valid pixels, so that the network sees no step at its edge.

Normalised input is 0, the mean of all backscatter, where there is no data. Near water or forest that is a step, which
the network takes for a shore or a house. Filling changes no valid pixel, and not the validity of the output.
`benchmarks/checks/nodata_edge.py` measures how many classes still change near an edge.
"""

from __future__ import annotations

from backend.core.arrays import BoolArray, FloatArray


def get_ready() -> None:
    """Import the modules for filling early, where a raster is known to have gaps."""
    import scipy.ndimage  # noqa: F401


def fill_invalid(x: FloatArray, valid: BoolArray) -> FloatArray:
    """Return input whose invalid pixels are copies of the nearest valid pixel, all bands of it.

    All of a pixel's bands are taken from one place, so that what VV and VH say together is true somewhere. What is
    missing in a whole band stays as it is.

    Args:
        x: float32 [B, H, W].
        valid: bool [H, W].

    Returns:
        `x` itself where all or nothing is valid, else a new array.
    """
    if valid.all() or not valid.any():
        return x
    from scipy.ndimage import distance_transform_edt  # takes 0.1 s, which rasters without nodata don't pay

    rows, columns = distance_transform_edt(~valid, return_distances=False, return_indices=True)
    filled: FloatArray = x[:, rows, columns]
    return filled
