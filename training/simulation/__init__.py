"""Simulate Sentinel-1 scenes with land-cover labels.

The data flow is ``fields`` (random fields) -> ``layout``, ``library`` (land-cover maps) -> ``labels`` (true land cover)
-> ``climate`` (conditions of a scene) -> ``signature``, ``urban``, ``relief`` (noise-free power) -> ``receiver``,
``speckle`` -> ``scene`` (one scene) -> ``folder`` (a data folder). The tags of all files say that they are simulated.
"""
