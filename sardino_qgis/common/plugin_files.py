"""Find the files that are shipped with the plugin, in an installed plugin and in a checkout."""

from __future__ import annotations

from pathlib import Path


def plugin_folder() -> Path:
    """Return the folder of the plugin, links followed (a checkout is often linked into the plugins folder)."""
    return Path(__file__).resolve().parents[1]


def shipped(installed: str, checkout: str = "") -> Path:
    """Return the path of a shipped file or folder; it may not exist.

    Args:
        installed: Path below the plugin's folder.
        checkout: Path below the checkout's folder, if it is another one there.
    """
    here = plugin_folder()
    path = here / installed
    return path if path.exists() else here.parent / (checkout or installed)


def requirements_file(kind: str = "") -> Path:
    """Return the list of packages, without hashes, that the backend needs to map, or that `kind` needs in addition."""
    return (
        shipped(f"requirements-{kind}.txt", f"requirements/{kind}.txt")
        if kind
        else shipped("requirements.txt", "requirements/runtime.txt")
    )


def locked_requirements(kind: str) -> Path:
    """Return the list of all packages of a kind of installation, with hashes."""
    return shipped(f"requirements-{kind}-locked.txt", f"requirements/locked-{kind}.txt")


def resource(*parts: str) -> str:
    """Return the path of a file below `resources/`."""
    return str(shipped("resources").joinpath(*parts))


def help_page(name: str, section: str = "") -> str:
    """Return the URL of a help page: HTML in an installed plugin, its Markdown source in a checkout."""
    page = shipped(f"docs/{name}.html", f"docs/{name}.md")
    return page.as_uri() + (f"#{section}" if section else "")
