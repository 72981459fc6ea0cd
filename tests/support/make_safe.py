"""A small Sentinel-1 GRD product from simulated numbers, with the structure and the XML of real ones.

    python -m tests.support.make_safe FOLDER        # FOLDER/S1A_IW_GRDH_….SAFE

Names of elements and files, and how the manifest links them, are those of products of IPF 3.31 as published.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.warp import transform

NAME = "S1A_IW_GRDH_1SDV_20210401T052623_20210401T052648_037258_04638E_6001.SAFE"
START, SECONDS = np.datetime64("2021-04-01T05:26:23.794457"), 25.0
UTM = CRS.from_epsg(32632)
Ground = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def slanting(line, sample):
    """Metres in UTM 32 of image positions (centres of samples at whole numbers): descending, a little curved."""
    x, y = sample * 10.0, line * 10.0
    east = 520000 + 0.974 * x - 0.225 * y + 2e-6 * x * y + 3e-6 * y * y
    north = 5_090_000 - 0.225 * x - 0.974 * y + 4e-6 * x * x
    return east, north


def simulated(line, sample):
    """Digital numbers of land, a lake and a town, with speckle of 4.4 looks; 0 at the left and right sides."""
    rng = np.random.default_rng(5)
    level = np.where((line // 40 + sample // 60) % 2, 90.0, 140.0)
    level = np.where((line - 60) ** 2 + (sample - 90) ** 2 < 40**2, 45.0, level)
    level = np.where((line > 130) & (line < 160) & (sample > 120) & (sample < 150), 420.0, level)
    numbers = level * np.sqrt(rng.gamma(4.4, 1 / 4.4, level.shape))
    numbers[(sample < 6 + line // 40) | (sample >= sample.max() - 4)] = 0
    return numbers


@dataclass
class Scene:
    """What is made; change what a test is about.

    Attributes:
        shape: Lines and samples.
        polarisations: In the order of the manifest.
        numbers: Digital numbers by line and sample.
        cross: The same of VH and HV; half of the others if None.
        ground: UTM coordinates (of `crs`) by line and sample.
        crs: Of `ground`.
        noise: "range and azimuth", "single" (before IPF 2.90) or "none".
        noise_level: In squared digital numbers.
        denoised: Whether the product says that its noise is removed.
        processor: Version of the IPF.
        kind: Type of product.
        spacing: Of samples, in metres.
        line_spacing: Of lines; as of samples if None.
        flat: Calibration tables without slopes, all 500.
        seconds: From the first line to the last.
        geometry: An `Imaged` of `make_orbit.py`, which writes orbit and ranges into the annotation, if any.
    """

    shape: tuple[int, int] = (200, 260)
    polarisations: Sequence[str] = ("VH", "VV")
    numbers: Callable = simulated
    cross: Callable | None = None
    ground: Ground = slanting
    crs: CRS = UTM
    noise: str = "range and azimuth"
    noise_level: float = 900.0
    denoised: bool = False
    processor: str = "003.31"
    kind: str = "GRD"
    spacing: float = 10.0
    line_spacing: float | None = None
    flat: bool = False
    mode: str = "IW"
    name: str = NAME
    vectors: int = 5
    blocks: int = field(default=3)
    seconds: float = SECONDS
    geometry: object = None

    def lines(self, count: int) -> list[int]:
        """Some lines, the first and the last among them."""
        return [int(n) for n in np.linspace(0, self.shape[0] - 1, count).round()]

    def samples(self, count: int) -> list[int]:
        return [int(n) for n in np.linspace(0, self.shape[1] - 1, count).round()]

    def time(self, line: int) -> str:
        share = line / (self.shape[0] - 1)
        return str(START + np.timedelta64(round(self.seconds * share * 1e6), "us"))

    def stem(self, index: int) -> str:
        return f"s1a-{self.mode.lower()}-grd-{self.polarisations[index].lower()}-20210401t052623-20210401t052648-037258-04638e-{index + 1:03d}"  # noqa: E501


def make_safe(parent: Path, scene: Scene | None = None) -> Path:
    """Write a product and return its folder."""
    scene = scene or Scene()
    folder = parent / scene.name
    for name in ("annotation/calibration", "measurement", "preview", "support"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(len(scene.polarisations)):
        stem = scene.stem(index)
        write_measurement(folder / f"measurement/{stem}.tiff", scene, index)
        texts = {
            f"annotation/{stem}.xml": annotation(scene, index),
            f"annotation/calibration/calibration-{stem}.xml": calibration(scene, index),
        }
        if scene.noise != "none":
            texts[f"annotation/calibration/noise-{stem}.xml"] = noise(scene, index)
        for name, text in texts.items():
            (folder / name).write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + text, encoding="utf-8")
    (folder / "manifest.safe").write_text(manifest(scene), encoding="utf-8")
    return folder


def zip_safe(folder: Path, target: Path) -> Path:
    """The same product as a zip."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return target


def positions(scene: Scene) -> list[tuple[int, int, float, float]]:
    """Line, sample, longitude and latitude of the geolocation grid."""
    pairs = [(line, sample) for line in scene.lines(6) for sample in scene.samples(9)]
    lines, samples = (np.array(values, dtype=float) for values in zip(*pairs))
    east, north = scene.ground(lines, samples)
    longitude, latitude = transform(scene.crs, CRS.from_epsg(4326), east, north)
    return [(line, sample, x, y) for (line, sample), x, y in zip(pairs, longitude, latitude)]


def write_measurement(path: Path, scene: Scene, index: int) -> None:
    height, width = scene.shape
    line, sample = np.mgrid[:height, :width]
    if scene.polarisations[index] in ("VV", "HH"):
        numbers = scene.numbers(line, sample)
    else:
        numbers = scene.cross(line, sample) if scene.cross else scene.numbers(line, sample) / 2
    points = [GroundControlPoint(row=r, col=c, x=x, y=y) for r, c, x, y in positions(scene)]
    profile = {"driver": "GTiff", "count": 1, "height": height, "width": width, "dtype": "uint16", "blockysize": 1}
    with rasterio.open(path, "w", **profile, gcps=points, crs=CRS.from_epsg(4326)) as file:
        file.write(np.clip(np.rint(numbers), 0, 65535).astype(np.uint16), 1)


def header(scene: Scene, index: int) -> str:
    return (
        f"<adsHeader><missionId>S1A</missionId><productType>{scene.kind}</productType>"
        f"<polarisation>{scene.polarisations[index]}</polarisation><mode>{scene.mode}</mode>"
        f"<swath>{scene.mode}</swath>"
        f"<startTime>{scene.time(0)}</startTime><stopTime>{scene.time(scene.shape[0] - 1)}</stopTime>"
        "<absoluteOrbitNumber>37258</absoluteOrbitNumber><missionDataTakeId>287630</missionDataTakeId>"
        f"<imageNumber>{index + 1:03d}</imageNumber></adsHeader>"
    )


def annotation(scene: Scene, index: int) -> str:
    points = "".join(
        f"<geolocationGridPoint><azimuthTime>{scene.time(line)}</azimuthTime>"
        f"<slantRangeTime>{scene.geometry.echo(sample) if scene.geometry else 5.3e-03:.12e}</slantRangeTime>"
        f"<line>{line}</line><pixel>{sample}</pixel><latitude>{y:.15e}</latitude><longitude>{x:.15e}</longitude>"
        f"<height>{scene.geometry.height if scene.geometry else 250:.6e}</height>"
        "<incidenceAngle>3.8e+01</incidenceAngle><elevationAngle>3.3e+01</elevationAngle></geolocationGridPoint>"
        for line, sample, x, y in positions(scene)
    )
    height, width = scene.shape
    return (
        f"<product>{header(scene, index)}"
        "<generalAnnotation><productInformation><pass>Descending</pass><projection>Ground Range</projection>"
        "<rangeSamplingRate>6.434523812571428e+07</rangeSamplingRate><radarFrequency>5.405000454334350e+09"
        f"</radarFrequency></productInformation>{scene.geometry.orbit() if scene.geometry else ''}</generalAnnotation>"
        f"<imageAnnotation><imageInformation><productFirstLineUtcTime>{scene.time(0)}</productFirstLineUtcTime>"
        f"<productLastLineUtcTime>{scene.time(height - 1)}</productLastLineUtcTime>"
        f"{scene.geometry.timing(scene) if scene.geometry else ''}"
        "<pixelValue>Detected</pixelValue><outputPixels>16 bit Unsigned Integer</outputPixels>"
        f"<rangePixelSpacing>{scene.spacing:.6e}</rangePixelSpacing>"
        f"<azimuthPixelSpacing>{scene.line_spacing or scene.spacing:.6e}</azimuthPixelSpacing>"
        f"<numberOfSamples>{width}</numberOfSamples><numberOfLines>{height}</numberOfLines></imageInformation>"
        f"<processingInformation><thermalNoiseCorrectionPerformed>{str(scene.denoised).lower()}"
        "</thermalNoiseCorrectionPerformed></processingInformation></imageAnnotation>"
        '<swathTiming><linesPerBurst>0</linesPerBurst><burstList count="0"/></swathTiming>'
        f'<geolocationGrid><geolocationGridPointList count="{len(positions(scene))}">{points}'
        "</geolocationGridPointList></geolocationGrid>"
        f"{scene.geometry.conversion() if scene.geometry else ''}</product>"
    )


def series(name: str, values: Sequence[float], form: str = "{:.6e}") -> str:
    return f'<{name} count="{len(values)}">{" ".join(form.format(v) for v in values)}</{name}>'


def factors(scene: Scene, line: int, samples: np.ndarray, name: str) -> np.ndarray:
    """Calibration factors: no two tables, lines or samples alike."""
    if scene.flat:
        return np.full(len(samples), 500.0)
    across, down = samples / scene.shape[1], line / scene.shape[0]
    base = {"sigmaNought": 620.0, "betaNought": 474.0, "gamma": 560.0, "dn": 474.0}[name]
    slope = {"sigmaNought": -120.0, "betaNought": 0.0, "gamma": -70.0, "dn": 0.0}[name]
    return base + slope * across + 25 * across * across + (9 * down if slope else 0)


def calibration(scene: Scene, index: int) -> str:
    samples = np.array(scene.samples(14))
    vectors = "".join(
        f"<calibrationVector><azimuthTime>{scene.time(line)}</azimuthTime><line>{line}</line>"
        + series("pixel", samples, "{}")
        + "".join(
            series(name, factors(scene, line, samples, name)) for name in ("sigmaNought", "betaNought", "gamma", "dn")
        )
        + "</calibrationVector>"
        for line in scene.lines(scene.vectors)
    )
    return (
        f"<calibration>{header(scene, index)}<calibrationInformation><absoluteCalibrationConstant>1.0e+00"
        "</absoluteCalibrationConstant></calibrationInformation>"
        f'<calibrationVectorList count="{scene.vectors}">{vectors}</calibrationVectorList></calibration>'
    )


def noise(scene: Scene, index: int) -> str:
    single = scene.noise == "single"
    vector, table = ("noiseVector", "noiseLut") if single else ("noiseRangeVector", "noiseRangeLut")
    ranges = ""
    for number, line in enumerate(scene.lines(4)):
        # Real vectors have samples of their own, which differ from line to line.
        samples = np.array(sorted({*scene.samples(11 + number), scene.shape[1] // 3, scene.shape[1] // 3 + 1}))
        step = np.where(samples > scene.shape[1] // 3, 1.3, 1.0)  # at the border of two swaths
        level = scene.noise_level * step * (1 + 0.2 * np.cos(samples / 30) + 0.02 * number)
        ranges += (
            f"<{vector}><azimuthTime>{scene.time(line)}</azimuthTime><line>{line}</line>"
            f"{series('pixel', samples, '{}')}{series(table, level)}</{vector}>"
        )
    text = f'<{vector}List count="4">{ranges}</{vector}List>'
    return f"<noise>{header(scene, index)}{text}{'' if single else azimuth_noise(scene)}</noise>"


def azimuth_noise(scene: Scene) -> str:
    """Blocks that tile the image: swaths across, each with lines of its own and cut in two along azimuth."""
    height, width = scene.shape
    edges = [width * n // scene.blocks for n in range(scene.blocks + 1)]
    text = ""
    for number, (left, right) in enumerate(zip(edges, edges[1:])):
        for top, bottom in ((0, height // 2 + number), (height // 2 + number + 1, height - 1)):
            lines = sorted({*range(top, bottom + 1, 12 + number), bottom})
            values = [1 + 0.15 * np.sin(line / 9 + number) for line in lines]
            text += (
                f"<noiseAzimuthVector><swath>IW{number + 1}</swath><firstAzimuthLine>{top}</firstAzimuthLine>"
                f"<firstRangeSample>{left}</firstRangeSample><lastAzimuthLine>{bottom}</lastAzimuthLine>"
                f"<lastRangeSample>{right - 1}</lastRangeSample>"
                f"{series('line', lines, '{}')}{series('noiseAzimuthLut', values)}</noiseAzimuthVector>"
            )
    return f'<noiseAzimuthVectorList count="{2 * scene.blocks}">{text}</noiseAzimuthVectorList>'


_SCHEMAS = {
    "product": ("s1Level1ProductSchema", "annotation/{}.xml"),
    "noise": ("s1Level1NoiseSchema", "annotation/calibration/noise-{}.xml"),
    "calibration": ("s1Level1CalibrationSchema", "annotation/calibration/calibration-{}.xml"),
    "": ("s1Level1MeasurementSchema", "measurement/{}.tiff"),
}


def manifest(scene: Scene) -> str:
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
    polarisations = "".join(
        f"<s1sarl1:transmitterReceiverPolarisation>{p}</s1sarl1:transmitterReceiverPolarisation>"
        for p in scene.polarisations
    )
    corners = [(y, x) for _, _, x, y in positions(scene)]
    foot = " ".join(f"{y:.6f},{x:.6f}" for y, x in (corners[0], corners[8], corners[-1], corners[-9]))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
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
version="{scene.processor}"/></safe:facility></safe:processing></xmlData></metadataWrap></metadataObject>
<metadataObject ID="platform" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData><safe:platform>\
<safe:nssdcIdentifier>2014-016A</safe:nssdcIdentifier><safe:familyName>SENTINEL-1</safe:familyName>\
<safe:number>A</safe:number><safe:instrument><safe:familyName abbreviation="SAR">Synthetic Aperture Radar\
</safe:familyName><safe:extension><s1sarl1:instrumentMode><s1sarl1:mode>{scene.mode}</s1sarl1:mode>\
<s1sarl1:swath>{scene.mode}</s1sarl1:swath>\
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
<s1sarl1:productType>{scene.kind}</s1sarl1:productType></s1sarl1:standAloneProductInformation>\
</xmlData></metadataWrap></metadataObject>
<metadataObject ID="acquisitionPeriod" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<safe:acquisitionPeriod><safe:startTime>{scene.time(0)}</safe:startTime><safe:stopTime>\
{scene.time(scene.shape[0] - 1)}</safe:stopTime></safe:acquisitionPeriod></xmlData></metadataWrap></metadataObject>
<metadataObject ID="measurementFrameSet" classification="DESCRIPTION" category="DMD"><metadataWrap><xmlData>\
<safe:frameSet><safe:frame><safe:footPrint srsName="http://www.opengis.net/gml/srs/epsg.xml#4326">\
<gml:coordinates>{foot}</gml:coordinates></safe:footPrint></safe:frame></safe:frameSet>\
</xmlData></metadataWrap></metadataObject>
</metadataSection>
<dataObjectSection>
{objects}</dataObjectSection>
</xfdu:XFDU>
"""


if __name__ == "__main__":
    print(make_safe(Path(sys.argv[1])))
