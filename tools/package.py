"""Build the plugin as QGIS users get it: `make package` writes dist/sardino_qgis-<version>.zip.

    python -m tools.package [--folder DIR]      # --folder: the unzipped plugin in DIR/sardino_qgis instead

A checkout keeps the packages side by side; QGIS wants one folder with `metadata.txt` in it. The contents come
from git's list of tracked files, so that nothing lying about gets in; outside git, from the working tree. Translations
are compiled for it, where lrelease is installed; the pages in docs/ are turned into HTML, for which Python's Markdown
is needed (`make setup` installs both). The same files give the same bytes: entries are sorted and bear one fixed date.
"""

from __future__ import annotations

import argparse
import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from tools import help_pages, lrelease

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "sardino_qgis"
MAX_BYTES = 25_000_000  # what the plugin repository accepts
DATE = (1980, 1, 1, 0, 0, 0)

# Single files, and where in the plugin's folder they go.
FILES = {
    "metadata.txt": "metadata.txt",
    "LICENSE": "LICENSE",
    "CHANGELOG.md": "CHANGELOG.md",
    "requirements/runtime.txt": "requirements.txt",
    "requirements/pytorch.txt": "requirements-pytorch.txt",
    "requirements/locked-mapping.txt": "requirements-mapping-locked.txt",
    "requirements/locked-pytorch.txt": "requirements-pytorch-locked.txt",
}
# Folders, and where their contents go.
TREES = {"sardino_qgis": "", "backend": "backend", "resources": "resources",
         help_pages.FOLDER: help_pages.FOLDER}  # fmt: skip
REQUIRED = ["__init__.py", "metadata.txt", "LICENSE", "backend/__main__.py"]


class PackageError(Exception):
    """Signal that the plugin cannot be packed; the text says why and what to do."""


def version(root: Path) -> str:
    """Return the version in `metadata.txt`."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(root / "metadata.txt", encoding="utf-8")
    return parser["general"]["version"]


def source_files(root: Path) -> list[PurePosixPath]:
    """Return the files of the checkout, as paths below `root`: tracked by git, else all of the working tree."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *FILES, *TREES]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
        names = done.stdout.decode().split("\0") if done.returncode == 0 else []
    except FileNotFoundError:
        names = []
    paths = [PurePosixPath(name) for name in names if name and (root / name).is_file()]
    if not paths:
        found = [path for tree in TREES for path in (root / tree).rglob("*")] + [root / name for name in FILES]
        paths = [PurePosixPath(path.relative_to(root).as_posix()) for path in found if path.is_file()]
    return [path for path in paths if belongs(path)]


def belongs(path: PurePosixPath) -> bool:
    """Return whether a file is part of the plugin: no byte code, no tests, nothing hidden, no compiled translations."""
    hidden = any(part.startswith(".") or part in ("__pycache__", "tests") for part in path.parts)
    # The network of the bundled model is as large as its weights, and is built from them where it is missing: both
    # would be more than the plugin repository accepts.
    return not hidden and path.suffix not in (".pyc", ".pyo", ".qm", ".onnx")


def place(path: PurePosixPath) -> str | None:
    """Return where a file of the checkout lies in the plugin's folder, or None if it is left out."""
    if str(path) in FILES:
        return FILES[str(path)]
    if path.parts[0] in TREES and len(path.parts) > 1:
        return str(PurePosixPath(TREES[path.parts[0]], *path.parts[1:]))
    return None


def plan(root: Path) -> dict[str, Path]:
    """Return where the plugin's contents come from, sorted: name in the plugin's folder -> file of the checkout.

    Raises:
        PackageError: if two files want the same place, or one is missing without which QGIS loads nothing.
    """
    contents: dict[str, Path] = {}
    for path in source_files(root):
        name = place(path)
        if name is None:
            continue
        if name in contents:
            raise PackageError(f"{path} and {contents[name].relative_to(root)} both go to {FOLDER}/{name}: rename one")
        contents[name] = root / path
    contents = with_help(with_translations(contents))
    missing = [name for name in REQUIRED if name not in contents]
    if missing:
        raise PackageError(f"not in the checkout, or not yet added to git: {', '.join(missing)}")
    return dict(sorted(contents.items()))


def with_translations(contents: dict[str, Path]) -> dict[str, Path]:
    """Return `contents` with a .qm file for each .ts file, from which it is compiled, where there is lrelease."""
    if lrelease.find_lrelease() is None:
        return contents
    sources = {name: path for name, path in contents.items() if name.startswith("i18n/") and path.suffix == ".ts"}
    return {**contents, **{f"{name[:-3]}.qm": path for name, path in sources.items()}}


def with_help(contents: dict[str, Path]) -> dict[str, Path]:
    """Return `contents` with each page in docs/ under its name as HTML, and of all else there the pictures it shows."""
    docs = {name for name in contents if name.startswith(f"{help_pages.FOLDER}/")}
    pages = {name for name in docs if name.endswith(".md") and name.count("/") == 1}
    shown = {
        f"{help_pages.FOLDER}/{name}"
        for page in pages
        for name in help_pages.pictures(contents[page].read_text(encoding="utf-8"))
    }
    kept = {name: path for name, path in contents.items() if name not in docs - shown}
    return {**kept, **{page[:-3] + ".html": contents[page] for page in pages}}


def content(contents: dict[str, Path], name: str) -> bytes:
    """Return the content of the plugin's file `name`, one of the keys of its `contents`.

    Raises:
        PackageError: if it is a translation that can't be compiled, or a page of help and Python's Markdown is missing.
    """
    path = contents[name]
    if path.suffix == ".ts" and name.endswith(".qm"):
        try:
            return lrelease.compiled(path)
        except lrelease.LreleaseError as error:
            raise PackageError(str(error)) from error
    if path.suffix == ".md" and name.endswith(".html"):
        pages = {other.stem for other in contents.values() if other.parent == path.parent and other.suffix == ".md"}
        try:
            return help_pages.page(path.read_text(encoding="utf-8"), pages).encode("utf-8")
        except ImportError as problem:
            raise PackageError("Python's Markdown is missing: use `make package`, which installs it") from problem
    return path.read_bytes()


def write_zip(root: Path, target: Path, limit: int = MAX_BYTES) -> Path:
    """Write the plugin's zip to `target` and return it.

    Raises:
        PackageError: if it is larger than `limit` bytes (nothing is left at `target` then), or as for `content`.
    """
    contents = plan(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in contents:
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", DATE)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content(contents, name), compresslevel=9)
    size = part.stat().st_size
    if size > limit:
        part.unlink()
        largest = sorted(contents, key=lambda name: contents[name].stat().st_size, reverse=True)[:3]
        raise PackageError(
            f"the zip would be {size:,} bytes, and the plugin repository takes {limit:,} at most. "
            f"The largest files: {', '.join(largest)}"
        )
    part.replace(target)
    return target


def write_folder(root: Path, parent: Path) -> Path:
    """Write the unzipped plugin to `parent`/sardino_qgis, in place of an older one, and return that folder.

    Raises:
        PackageError: if something else than a packed plugin lies there, or as for `plan` and `content`.
    """
    contents = plan(root)
    folder = parent / FOLDER
    if folder.exists():
        if not (folder / "metadata.txt").is_file() or folder.resolve() == (root / FOLDER).resolve():
            raise PackageError(f"{folder} is there and is no packed plugin: move it away, or choose another folder")
        shutil.rmtree(folder)
    for name in contents:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content(contents, name))
    return folder


def main() -> int:
    """Pack the plugin; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.package", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, metavar="DIR", help="write the unzipped plugin to DIR/sardino_qgis")
    arguments = parser.parse_args()
    try:
        if arguments.folder:
            print(write_folder(ROOT, arguments.folder))
        else:
            target = write_zip(ROOT, ROOT / "dist" / f"{FOLDER}-{version(ROOT)}.zip")
            print(f"{target} ({target.stat().st_size:,} bytes)")
        if lrelease.find_lrelease() is None:
            print(f"package: it speaks English alone; for its translations, {lrelease.HINT}", file=sys.stderr)
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
