"""Turn the pages in docs/ into the HTML that the plugin ships and opens as files."""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from pathlib import PurePosixPath

FOLDER = "docs"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff; }}
pre, code {{ background: #f3f3f3; }} pre {{ padding: .6em; overflow-x: auto; }} img {{ max-width: 100%; }}
table {{ border-collapse: collapse; }} th, td {{ border: 1px solid #ccc; padding: .2em .6em; text-align: left; }}
</style></head>
<body>
{body}
</body></html>
"""
_LINK = re.compile(r'<a href="(?!https?:|mailto:|#)([^"#]*)(#[^"]*)?">(.*?)</a>', re.DOTALL)
_PICTURE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)")


def pictures(text: str) -> set[str]:
    """Return the pictures that a page shows, as paths below docs/."""
    return {name for name in _PICTURE.findall(text) if "://" not in name}


def page(text: str, pages: Collection[str]) -> str:
    """Return a page as HTML.

    Args:
        text: Markdown.
        pages: Stems of all shipped pages. Links to them are kept; links to other files become plain text.

    Raises:
        ImportError: Python's Markdown is not installed.
    """
    from markdown import markdown

    def link(found: re.Match[str]) -> str:
        target, section, words = PurePosixPath(found[1]), found[2] or "", found[3]
        if target.suffix == ".md" and len(target.parts) == 1 and target.stem in pages:
            return f'<a href="{target.stem}.html{section}">{words}</a>'
        return words

    body = markdown(text, extensions=["tables", "fenced_code", "toc"], output_format="html")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", body)
    title = re.sub(r"<[^>]+>", "", heading[1]) if heading else html.escape("SAR Land Cover (DINO)")
    return _PAGE.format(title=title, body=_LINK.sub(link, body))
