"""The guide: its links work, its pictures exist and are small, and the messages it explains exist in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.screenshots import MAX_BYTES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
TOTAL_BYTES = 1_500_000


def links(page: Path) -> list[str]:
    """Return the targets of links and pictures, except those to the web."""
    return [target for target in LINK.findall(page.read_text(encoding="utf-8")) if not re.match(r"\w+:", target)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, section = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not section or section in anchors(there), f"{page.name} links to {target}"


def test_the_index_leads_to_every_page() -> None:
    named = set(links(DOCS / "index.md"))
    assert {page.name for page in DOCS.glob("*.md")} - {"index.md"} <= named


def test_pictures_are_shown_and_small() -> None:
    shown = {(page.parent / target).resolve() for page in PAGES for target in links(page) if target.endswith(".png")}
    pictures = set((DOCS / "images").glob("*.png"))
    assert pictures == shown
    sizes = {path.name: path.stat().st_size for path in pictures if path.name != "demo.png"}
    assert all(size <= MAX_BYTES for size in sizes.values()), sizes
    assert sum(sizes.values()) <= TOTAL_BYTES


def test_every_script_is_named_by_a_page() -> None:
    """A script that no page, recipe or Makefile names is one that nobody runs."""
    pages = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "Makefile", *(ROOT / "training" / "recipes").glob("*.toml")]
    named = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    scripts = [path for top in ("benchmarks", "tools") for path in (ROOT / top).rglob("*.py")]
    scripts.remove(ROOT / "benchmarks" / "peers" / "worker.py")  # which `benchmarks.peers` starts
    unnamed = []
    for path in scripts:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
        if "__main__" in path.read_text(encoding="utf-8") and module not in named:
            unnamed.append(module)
    assert not unnamed


def texts() -> Iterator[str]:
    """Yield every text in the code of plugin and backend, with … for inserted values."""
    for path in [*(ROOT / "sardino_qgis").rglob("*.py"), *(ROOT / "backend").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{[^}]*\}", "…", node.value)
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def test_messages_that_are_explained_exist() -> None:
    explained = re.findall(r"^### (.+)$", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(explained) > 30
    said = list(texts())
    for message in explained:
        form = re.compile(".*".join(re.escape(part) for part in message.split("…")), re.DOTALL)
        assert any(form.search(text) for text in said), f"nothing says: {message}"
