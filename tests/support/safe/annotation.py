"""Write the annotation of a simulated Sentinel-1 product as XML: geometry, calibration and noise tables.

`scene` is a Scene of make_safe.py, `index` the number of the polarisation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def header(scene, index: int) -> str:
    return (
        f"<adsHeader><missionId>S1A</missionId><productType>{scene.kind}</productType>"
        f"<polarisation>{scene.polarisations[index]}</polarisation><mode>{scene.mode}</mode>"
        f"<swath>{scene.mode}</swath>"
        f"<startTime>{scene.time(0)}</startTime><stopTime>{scene.time(scene.shape[0] - 1)}</stopTime>"
        "<absoluteOrbitNumber>37258</absoluteOrbitNumber><missionDataTakeId>287630</missionDataTakeId>"
        f"<imageNumber>{index + 1:03d}</imageNumber></adsHeader>"
    )


def annotation(scene, index: int) -> str:
    points = "".join(
        f"<geolocationGridPoint><azimuthTime>{scene.time(line)}</azimuthTime>"
        f"<slantRangeTime>{scene.geometry.echo(sample, line) if scene.geometry else 5.3e-03:.12e}</slantRangeTime>"
        f"<line>{line}</line><pixel>{sample}</pixel><latitude>{y:.15e}</latitude><longitude>{x:.15e}</longitude>"
        f"<height>{scene.geometry.height if scene.geometry else 250:.6e}</height>"
        "<incidenceAngle>3.8e+01</incidenceAngle><elevationAngle>3.3e+01</elevationAngle></geolocationGridPoint>"
        for line, sample, x, y in scene.positions()
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
        f'<geolocationGrid><geolocationGridPointList count="{len(scene.positions())}">{points}'
        "</geolocationGridPointList></geolocationGrid>"
        f"{scene.geometry.conversion() if scene.geometry else ''}</product>"
    )


def series(name: str, values: Sequence[float], form: str = "{:.6e}") -> str:
    return f'<{name} count="{len(values)}">{" ".join(form.format(v) for v in values)}</{name}>'


def factors(scene, line: int, samples: np.ndarray, name: str) -> np.ndarray:
    """Return calibration factors; no two tables, lines or samples are alike."""
    if scene.flat:
        return np.full(len(samples), 500.0)
    across, down = samples / scene.shape[1], line / scene.shape[0]
    base = {"sigmaNought": 620.0, "betaNought": 474.0, "gamma": 560.0, "dn": 474.0}[name]
    slope = {"sigmaNought": -120.0, "betaNought": 0.0, "gamma": -70.0, "dn": 0.0}[name]
    return base + slope * across + 25 * across * across + (9 * down if slope else 0)


def calibration(scene, index: int) -> str:
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


def noise(scene, index: int) -> str:
    single = scene.noise == "single"
    vector, table = ("noiseVector", "noiseLut") if single else ("noiseRangeVector", "noiseRangeLut")
    ranges = ""
    for number, line in enumerate(scene.lines(4)):
        # The samples of real vectors differ from line to line.
        samples = np.array(sorted({*scene.samples(11 + number), scene.shape[1] // 3, scene.shape[1] // 3 + 1}))
        step = np.where(samples > scene.shape[1] // 3, 1.3, 1.0)  # at the border of two swaths
        level = scene.noise_level * step * (1 + 0.2 * np.cos(samples / 30) + 0.02 * number)
        ranges += (
            f"<{vector}><azimuthTime>{scene.time(line)}</azimuthTime><line>{line}</line>"
            f"{series('pixel', samples, '{}')}{series(table, level)}</{vector}>"
        )
    text = f'<{vector}List count="4">{ranges}</{vector}List>'
    return f"<noise>{header(scene, index)}{text}{'' if single else azimuth_noise(scene)}</noise>"


def azimuth_noise(scene) -> str:
    """Write blocks that tile the image: swaths across, each with its own lines and cut in two along azimuth."""
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
