"""Write the manifest of a simulated Sentinel-1 product as XML; `scene` is a Scene of make_safe.py."""

from __future__ import annotations

_SCHEMAS = {
    "product": ("s1Level1ProductSchema", "annotation/{}.xml"),
    "noise": ("s1Level1NoiseSchema", "annotation/calibration/noise-{}.xml"),
    "calibration": ("s1Level1CalibrationSchema", "annotation/calibration/calibration-{}.xml"),
    "": ("s1Level1MeasurementSchema", "measurement/{}.tiff"),
}


_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<xfdu:XFDU xmlns:gml="http://www.opengis.net/gml" xmlns:xfdu="urn:ccsds:schema:xfdu:1" \
xmlns:safe="http://www.esa.int/safe/sentinel-1.0" xmlns:s1="http://www.esa.int/safe/sentinel-1.0/sentinel-1" \
xmlns:s1sarl1="http://www.esa.int/safe/sentinel-1.0/sentinel-1/sar/level-1" \
version="esa/safe/sentinel-1.0/sentinel-1/sar/level-1/grd/standard/iwdp">
<informationPackageMap>
<xfdu:contentUnit unitType="SAFE Archive Information Package" textInfo="Sentinel-1 IW Level-1 GRD Product" \
dmdID="acquisitionPeriod platform generalProductInformation measurementOrbitReference measurementFrameSet" \
pdiID="processing">
{units}</xfdu:contentUnit></informationPackageMap>
<metadataSection>
{metadata}<metadataObject ID="processing" classification="PROVENANCE" category="PDI"><metadataWrap><xmlData>\
<safe:processing name="GRD Post Processing"><safe:facility><safe:software name="Sentinel-1 IPF" \
version="{processor}"/></safe:facility></safe:processing></xmlData></metadataWrap></metadataObject>
<metadataObject ID="platform" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData><safe:platform>\
<safe:nssdcIdentifier>2014-016A</safe:nssdcIdentifier><safe:familyName>SENTINEL-1</safe:familyName>\
<safe:number>A</safe:number><safe:instrument><safe:familyName abbreviation="SAR">Synthetic Aperture Radar\
</safe:familyName><safe:extension><s1sarl1:instrumentMode><s1sarl1:mode>{mode}</s1sarl1:mode>\
<s1sarl1:swath>{mode}</s1sarl1:swath>\
</s1sarl1:instrumentMode></safe:extension></safe:instrument></safe:platform></xmlData></metadataWrap></metadataObject>
<metadataObject ID="measurementOrbitReference" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<safe:orbitReference><safe:orbitNumber type="start">37258</safe:orbitNumber><safe:orbitNumber type="stop">37258\
</safe:orbitNumber><safe:relativeOrbitNumber type="start">66</safe:relativeOrbitNumber>\
<safe:relativeOrbitNumber type="stop">66</safe:relativeOrbitNumber><safe:extension><s1:orbitProperties>\
<s1:pass>DESCENDING</s1:pass><s1:ascendingNodeTime>2021-04-01T04:48:00.000000</s1:ascendingNodeTime>\
</s1:orbitProperties></safe:extension></safe:orbitReference>\
</xmlData></metadataWrap></metadataObject>
<metadataObject ID="generalProductInformation" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<s1sarl1:standAloneProductInformation>{polarisations}<s1sarl1:missionDataTakeID>287630</s1sarl1:missionDataTakeID>\
<s1sarl1:productClass>S</s1sarl1:productClass>\
<s1sarl1:productType>{kind}</s1sarl1:productType></s1sarl1:standAloneProductInformation>\
</xmlData></metadataWrap></metadataObject>
<metadataObject ID="acquisitionPeriod" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<safe:acquisitionPeriod><safe:startTime>{start}</safe:startTime><safe:stopTime>\
{stop}</safe:stopTime></safe:acquisitionPeriod></xmlData></metadataWrap></metadataObject>
<metadataObject ID="measurementFrameSet" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<safe:frameSet><safe:frame><safe:footPrint srsName="http://www.opengis.net/gml/srs/epsg.xml#4326">\
<gml:coordinates>{foot}</gml:coordinates></safe:footPrint></safe:frame></safe:frameSet>\
</xmlData></metadataWrap></metadataObject>
</metadataSection>
<dataObjectSection>
{objects}</dataObjectSection>
</xfdu:XFDU>
"""


def manifest(scene) -> str:
    units, metadata, objects = links(scene)
    polarisations = "".join(
        f"<s1sarl1:transmitterReceiverPolarisation>{p}</s1sarl1:transmitterReceiverPolarisation>"
        for p in scene.polarisations
    )
    corners = [(y, x) for _, _, x, y in scene.positions()]
    foot = " ".join(f"{y:.6f},{x:.6f}" for y, x in (corners[0], corners[8], corners[-1], corners[-9]))
    return _MANIFEST.format(
        units=units, metadata=metadata, objects=objects, polarisations=polarisations, foot=foot,
        processor=scene.processor, mode=scene.mode, kind=scene.kind,
        start=scene.time(0), stop=scene.time(scene.shape[0] - 1),
    )  # fmt: skip


def links(scene) -> tuple[str, str, str]:
    """Return content units, metadata objects and data objects, which link files to their annotation."""
    units = metadata = objects = ""
    for index in range(len(scene.polarisations)):
        stem = scene.stem(index)
        ident = stem.replace("-", "")
        kinds = [kind for kind in _SCHEMAS if kind != "noise" or scene.noise != "none"]
        described = " ".join(f"{kind}{ident}Annotation" for kind in kinds if kind)
        for kind in kinds:
            schema, name = _SCHEMAS[kind]
            unit = f'unitType="Metadata Unit" repID="{schema}"'
            if not kind:
                unit = f'unitType="Measurement Data Unit" repID="{schema}" dmdID="{described} "'
            units += f'<xfdu:contentUnit {unit}><dataObjectPointer dataObjectID="{kind}{ident}"/></xfdu:contentUnit>\n'
            metadata += (
                f'<metadataObject ID="{kind}{ident}Annotation" classification="DESCRIPTION" category="DMD">'
                f'<dataObjectPointer dataObjectID="{kind}{ident}"/></metadataObject>\n'
                if kind
                else ""
            )
            objects += (
                f'<dataObject ID="{kind}{ident}" repID="{schema}"><byteStream mimeType="text/xml" size="1">'
                f'<fileLocation locatorType="URL" href="./{name.format(stem)}"/></byteStream></dataObject>\n'
            )
    return units, metadata, objects
