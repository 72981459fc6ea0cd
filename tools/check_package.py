"""Check the plugin's zip as the plugin repository does: `make check-package`.

    .venv/bin/python -m tools.check_package [ZIP]     # default: the zip is built first

Checks what plugins.qgis.org checks: the keys of metadata.txt, the contents and size of the zip, and the findings of
Bandit (https://bandit.readthedocs.io) and detect-secrets (https://github.com/Yelp/detect-secrets). No finding is
allowed, at any severity; a false one is marked in its line with `# nosec` and the rule.
"""

from __future__ import annotations

import argparse
import ast
import configparser
import json
import re
import stat
import subprocess  # nosec B404
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from tools.lrelease import HINT
from tools.package import FOLDER, MAX_BYTES, ROOT, PackageError, version, write_zip

# https://docs.qgis.org/latest/en/docs/pyqgis_developer_cookbook/plugins/plugins.html#metadata-txt, and what the
# repository's upload form demands in addition.
REQUIRED_KEYS = ("name", "qgisMinimumVersion", "description", "about", "version", "author", "email", "tracker",
                 "repository")  # fmt: skip
# Keys that the plugin manager shows, and that a provider needs.
WANTED_KEYS = ("homepage", "tags", "icon", "category", "license", "changelog", "experimental", "deprecated",
               "hasProcessingProvider")  # fmt: skip
ADDRESS, SWITCH = r"https?://[\w.-]+\.\w+(/\S*)?", r"yes|no|true|false"
# Key, pattern of its value, and that pattern in words.
FORMS = (
    ("name", r"[ -~]+", "ASCII"),
    ("version", r"\d+(\.\d+){1,2}", "X.Y or X.Y.Z"),
    ("qgisMinimumVersion", r"3\.\d+(\.\d+)?", "3.Y"),
    ("qgisMaximumVersion", r"\d+\.\d+(\.\d+)?", "X.Y"),
    ("email", r"[^@\s]+@[^@\s]+\.\w+", "an address"),
    ("tracker", ADDRESS, "a web address"),
    ("repository", ADDRESS, "a web address"),
    ("homepage", ADDRESS, "a web address"),
    ("experimental", SWITCH, "True or False"),
    ("deprecated", SWITCH, "True or False"),
    ("hasProcessingProvider", SWITCH, "yes or no"),
    ("server", SWITCH, "True or False"),
    ("description", r"(.|\n){1,500}", "500 characters at most"),
)
# The only files that may be binary.
BINARIES = re.compile(
    r"resources/(models/[^/]+/model\.safetensors|(sample|geoid)/[^/]+\.tif|icons/[^/]+\.png)|i18n/[^/]+\.qm|docs/[^/]+/[^/]+\.png"
)
# A hash of weights is not a secret, and JSON has no comments to say so.
NO_SECRETS = r'"(weights_)?sha256": "[0-9a-f]{64}"'


def check_metadata(text: str, names: set[str]) -> Iterator[str]:
    """Yield the faults of metadata.txt; `names` are the zip's entries below the plugin's folder."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
        general = parser["general"]
    except (configparser.Error, KeyError) as error:
        yield f"metadata.txt can't be read: {error}"
        return
    for key in (*REQUIRED_KEYS, *WANTED_KEYS):
        if not general.get(key, "").strip():
            yield f"metadata.txt: {key} is missing or empty"
    yield from _check_values(general, names)


def _check_values(general: configparser.SectionProxy, names: set[str]) -> Iterator[str]:
    for key, pattern, form in FORMS:
        if general.get(key, "").strip() and not re.fullmatch(pattern, general[key].strip(), re.IGNORECASE):
            yield f"metadata.txt: {key} {general[key].strip()!r} is not {form}"
    if general.get("icon", "") not in names:
        yield f"metadata.txt: the icon {general.get('icon', '')!r} is not in the zip"
    for key in ("description", "about"):
        if re.search(r"<\w", general.get(key, "")):
            yield f"metadata.txt: {key} holds HTML"
    if "plugin" in general.get("name", "").lower():
        yield "metadata.txt: the name should not say that it is a plugin"


def check_entries(archive: zipfile.ZipFile) -> Iterator[str]:
    """Yield entries that may not be in a plugin's zip."""
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        if path.parts[0] != FOLDER or path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            yield f"{entry.filename} lies outside the folder {FOLDER}/"
            continue
        if stat.S_ISLNK(entry.external_attr >> 16):
            yield f"{entry.filename} is a link"
        if any(part.startswith(".") or part in ("__pycache__", "__MACOSX") for part in path.parts):
            yield f"{entry.filename} is hidden, or a cache"
        inside = str(path.relative_to(FOLDER))
        content = archive.read(entry)
        if not BINARIES.fullmatch(inside) and not _is_text(content):
            yield f"{entry.filename} is a binary file"
        if path.suffix == ".py":
            yield from _check_syntax(entry.filename, content)


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _check_syntax(name: str, content: bytes) -> Iterator[str]:
    try:
        ast.parse(content, filename=name, feature_version=(3, 9))
    except SyntaxError as error:
        yield f"{name}:{error.lineno} is not Python 3.9: {error.msg}"


def check_zip(path: Path, limit: int = MAX_BYTES) -> Iterator[str]:
    """Yield the faults of a zip, without looking into the code."""
    if path.stat().st_size > limit:
        yield f"{path.name} has {path.stat().st_size:,} bytes; the repository takes {limit:,}"
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.split("/", 1)[1] for name in archive.namelist() if name.startswith(f"{FOLDER}/")}
            yield from check_entries(archive)
            for wanted in ("__init__.py", "metadata.txt", "LICENSE"):
                if wanted not in names:
                    yield f"{FOLDER}/{wanted} is missing"
            for name in sorted(names):
                if name.endswith(".ts") and f"{name[:-3]}.qm" not in names:
                    yield f"{FOLDER}/{name} is not compiled: {HINT}"
            if "metadata.txt" in names:
                yield from check_metadata(archive.read(f"{FOLDER}/metadata.txt").decode("utf-8"), names)
    except zipfile.BadZipFile as error:
        yield f"{path.name} is no zip: {error}"


def run_json(module: str, *arguments: str, cwd: Path) -> dict[str, Any]:
    """Run a scanner of this environment and return its report.

    Raises:
        PackageError: It isn't installed, or failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    # Our own interpreter, with arguments from this file; no shell.
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # nosec B603
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as problem:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise PackageError(f"{module} did not run ({last}): `make setup` installs it") from problem
    return report


def check_code(folder: Path) -> Iterator[str]:
    """Yield the findings of Bandit and detect-secrets in an unpacked plugin."""
    bandit = run_json("bandit", "--recursive", ".", "--format", "json", "--quiet", cwd=folder)
    for error in bandit["errors"]:
        yield f"bandit: {error['filename']}: {error['reason']}"
    for found in bandit["results"]:
        yield f"bandit {found['test_id']}: {found['filename']}:{found['line_number']}: {found['issue_text']}"
    secrets = run_json("detect_secrets", "scan", "--all-files", "--exclude-lines", NO_SECRETS, cwd=folder)
    for name, items in secrets["results"].items():
        for found in items:
            yield f"detect-secrets: {name}:{found['line_number']}: {found['type']}"


def check(path: Path) -> list[str]:
    """Return all that is wrong with a zip."""
    wrong = list(check_zip(path))
    if any("outside" in line or "no zip" in line or "a link" in line for line in wrong):
        return wrong  # not to be unpacked
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            archive.extract(entry, folder)
        return wrong + list(check_code(Path(folder)))


def main() -> int:
    """Check a zip; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.check_package", description=__doc__.splitlines()[0])
    parser.add_argument("zip", nargs="?", type=Path, help="default: built from the checkout")
    path: Path | None = parser.parse_args().zip
    try:
        path = path or write_zip(ROOT, ROOT / "dist" / f"{FOLDER}-{version(ROOT)}.zip")
        wrong = check(path)
    except (PackageError, OSError) as error:
        wrong = [str(error)]
    for line in wrong:
        print(f"check-package: {line}", file=sys.stderr)
    if not wrong:
        print(f"{path}: metadata, contents, size, Bandit and detect-secrets are fine")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
