"""Simulated Sentinel-1 scenes with land-cover labels.

The data flow is ``fields`` (random fields) -> ``layout`` (land-cover maps) -> ``signature``, ``urban`` and
``terrain`` (noise-free power by class) -> ``speckle`` -> ``scene`` (one scene) -> ``folder`` (a data folder).
Everything made here is simulated and says so in its tags.
"""
