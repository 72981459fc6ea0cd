"""The help pages in the plugin zip: their links work."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tools import help_pages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pages(archive: Path) -> dict[str, str]:
    """Pages by name below docs/."""
    with zipfile.ZipFile(archive) as opened:
        found = [name for name in opened.namelist() if name.startswith("sardino_qgis/docs/") and name.endswith(".html")]
        return {name.split("/docs/")[1]: opened.read(name).decode() for name in found}


def test_pages_of_help_are_html_whose_links_lead_somewhere(pages: dict[str, str], names: list[str]) -> None:
    assert {"index.html", "algorithms.html", "models.html", "accuracy.html", "installation.html"} <= pages.keys()
    assert not [name for name in names if "/docs/" in name and name.endswith(".md")]
    for name, page in pages.items():
        assert page.startswith("<!DOCTYPE html>") and "<h1" in page, name
        for target, section in re.findall(r'(?:href|src)="(?!https?:|mailto:)([^"#]*)(?:#([^"]*))?"', page):
            linked = target or name
            assert f"sardino_qgis/docs/{linked}" in names, f"{name} links to {linked}, which is not in the zip"
            assert not section or f'id="{section}"' in pages[linked], f"{name}: no section {section} in {linked}"
    assert all(f'href="{name}"' in pages["index.html"] for name in pages if name != "index.html")


def test_sections_that_the_algorithms_name_are_there(pages: dict[str, str]) -> None:
    named = [
        re.search(r"^    HELP = \((.*)\)$", path.read_text(), re.M)
        for path in (ROOT / "sardino_qgis" / "algorithms").glob("*.py")
    ]
    places = [re.findall(r'"([^"]+)"', found[1]) for found in named if found]
    assert len(places) >= 5
    for name, *sections in places:
        assert f"{name}.html" in pages
        assert all(f'id="{section}"' in pages[f"{name}.html"] for section in sections)


def test_links_between_pages_follow_them_and_others_become_text() -> None:
    page = help_pages.page("# T & <i>t</i>\n[a](b.md#c) [x](../secret.md) [w](https://example.org/) [z](q.md)", {"b"})
    assert '<a href="b.html#c">a</a> x <a href="https://example.org/">w</a> z' in page
    assert "<title>T &amp; t</title>" in page
