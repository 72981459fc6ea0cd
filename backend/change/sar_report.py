"""Format a comparison of two SAR dates as an HTML page, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from backend.accuracy.areas import in_unit
from backend.accuracy.html_parts import document_head, listed, page, table
from backend.change.maps_report import PICTURES, colour_key, side_by_side, unit_name
from backend.change.previews import grey, painted, png_source
from backend.change.sar_rows import OUTCOMES, SAME, SarSums

METHOD = """
<p>Power is averaged over a square window, and the ratio of the two dates is tested against what speckle alone would
give: likelihood-ratio test of equal powers (K. Conradsen, A. A. Nielsen, J. Schou, H. Skriver (2003), A test statistic
in the complex Wishart distribution and its application to change detection in polarimetric SAR data, IEEE TGRS 41(1),
4–19), in its diagonal form, with polarisations as independent. Equivalent looks of the window account for the
correlation of neighbouring pixels, and for texture. A significant change says that backscatter differs, not that the
land cover does: rain, wind on water, frost and growth change it too.</p>
"""


def head(before: str, after: str, sums: SarSums, areas_known: bool) -> dict[str, Any]:
    """Return inputs, date, and the sums by outcome as plain types."""
    total = sum(sums.areas.values())
    changed = {value: area for value, area in sums.areas.items() if value != SAME}
    return {
        **document_head(),
        "before": before,
        "after": after,
        "area_unit": "m2" if areas_known else "pixels",
        "compared": {"pixels": sum(sums.pixels.values()), "area": total},
        "changed": {
            "pixels": sum(sums.pixels[value] for value in changed),
            "area": sum(changed.values()),
            "share": sum(changed.values()) / total if total else 0.0,
        },
        "outcomes": [
            {
                "value": item.value,
                "name": item.name,
                "color": item.color,
                "pixels": sums.pixels[item.value],
                "area": sums.areas[item.value],
            }
            for item in OUTCOMES
        ],
    }


def as_csv(facts: Mapping[str, Any]) -> str:
    """Format the areas as CSV, a row for each outcome."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["value", "name", "pixels", f"area ({unit_name(facts['area_unit'])})"])
    for item in facts["outcomes"]:
        writer.writerow(
            [item["value"], item["name"], item["pixels"], f"{in_unit(item['area'], facts['area_unit']):.10g}"]
        )
    return text.getvalue()


def as_html(facts: Mapping[str, Any], sums: SarSums) -> str:
    """Format the page, with both dates side by side in one stretch of grey."""
    levels = [picture.values() for picture in sums.levels]
    finite = np.concatenate([level[np.isfinite(level)] for level in levels])
    low, high = np.percentile(finite, (2, 98)) if finite.size else (0.0, 1.0)
    colours = {item.value: item.color for item in OUTCOMES}
    pictures = [grey(level, float(low), float(high)) for level in levels]
    pictures.append(painted(sums.outcome.values(), colours))
    first, unit = facts["polarisations"][0], facts["area_unit"]
    total = facts["compared"]["area"] or 1.0
    rows = [
        [
            item["name"],
            f"{item['pixels']:,}",
            f"{in_unit(item['area'], unit):,.1f}",
            f"{100 * item['area'] / total:.2f} %",
        ]
        for item in facts["outcomes"]
    ]
    parts = [
        side_by_side([f"Before ({first}, averaged)", f"After ({first}, averaged)", "Change"],
                     [png_source(picture) for picture in pictures]),
        colour_key([(item.color, item.name) for item in OUTCOMES]),
        table(["Backscatter", "Pixels", f"Area ({unit_name(unit)})", "Share"], rows),
        *(listed("Warnings", facts["warnings"]) if facts["warnings"] else ()),
        *listed("Notes", facts["notes"]),
        "<h2>Method</h2>",
        METHOD,
    ]  # fmt: skip
    names = PurePath(facts["before"]).name, PurePath(facts["after"]).name
    title = f"Change of backscatter from {names[0]} to {names[1]}"
    return page(title, [facts["before"], facts["after"]], facts, parts, PICTURES)
