"""Take the pictures of the user's guide in a real QGIS desktop: `make screenshots` fills docs/images/.

    python -m tools.screenshots [--out docs/images]

The plugin is packed as users get it and put into a fresh QGIS profile in a home folder of its own, with `.venv` in
place of the backend that *Set up backend…* would install. QGIS runs on a virtual screen (Xvfb) with
tools/desktop_tour.py as its start-up script, and maps the simulated sample scene. The pictures aren't edited.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from PIL import Image

from tools.demo import SAMPLE
from tools.package import FOLDER, ROOT, write_folder
from tools.setup.process import SetupError
from tools.setup.system import install_packages

LABELS = SAMPLE.with_name("simulated_s1_labels.tif")
SCREEN = "1200x1000x24"
MAX_BYTES = 150_000
COLOURS = (256, 128, 96, 64, 48, 32)
LIMIT_S = 900

# No news, tips or version checks: nothing that changes daily or uses the network.
SETTINGS = f"""[PythonPlugins]
processing=true
{FOLDER}=true

[core]
NewsFeed\\httpsfeedqgisorg\\disabled=true

[qgis]
checkVersion=false
"""


class ScreenshotError(Exception):
    """Signal that the pictures could not be taken; the text says why."""


def ensure_screen() -> str:
    """Return the path of a QGIS desktop; install the virtual screen if it is missing."""
    if not shutil.which("xvfb-run"):
        install_packages(["xvfb", "xauth"])
    program = shutil.which("qgis")
    if program is None:
        raise ScreenshotError("qgis is not on PATH: make setup WITHOUT_QGIS=0 installs QGIS on Debian and Ubuntu")
    return program


def make_home(home: Path) -> None:
    """Make a home folder with a QGIS profile: the plugin installed and enabled, its backend set up."""
    profile = home / ".local/share/QGIS/QGIS3/profiles/default"
    write_folder(ROOT, profile / "python" / "plugins")
    (profile / "QGIS").mkdir()
    (profile / "QGIS" / "QGIS3.ini").write_text(SETTINGS)
    environment = profile / "sardino" / "env"
    environment.mkdir(parents=True)
    (environment / "1").symlink_to(Path(sys.prefix), target_is_directory=True)
    (environment / "current").write_text("1\n")
    ownership = import_module("sardino_qgis.environment.ownership")
    (environment / ownership.LOCK).write_text(ownership.MARK)
    (home / "runtime").mkdir(mode=0o700)
    for path in (SAMPLE, LABELS):
        shutil.copy(path, home)


def take(home: Path, folder: Path) -> None:
    """Let QGIS take the pictures into `folder`; raise ScreenshotError with its last output if it fails."""
    variables = {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT),
        "XDG_RUNTIME_DIR": str(home / "runtime"), "SARDINO_TOUR_PICTURES": str(folder),
        "SARDINO_TOUR_SAMPLE": str(home / SAMPLE.name), "SARDINO_TOUR_LABELS": str(home / LABELS.name),
        "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2"),
    }  # fmt: skip
    tour = ["--nologo", "--noversioncheck", "--lang", "en", "--code", str(ROOT / "tools" / "desktop_tour.py")]
    command = ["xvfb-run", "--auto-servernum", "--server-args", f"-screen 0 {SCREEN}", ensure_screen(), *tour]
    try:
        status = subprocess.run(command, env=variables, cwd=home, timeout=LIMIT_S, check=False).returncode
    except subprocess.TimeoutExpired as late:
        raise ScreenshotError(f"QGIS did not end within {LIMIT_S} s") from late
    if status != 0:
        raise ScreenshotError(f"QGIS ended with status {status}; its last words stand above")


def squeeze(source: Path, target: Path) -> int:
    """Write a picture with as many colours as MAX_BYTES allow; return its size in bytes."""
    picture = Image.open(source).convert("RGB")
    for colours in COLOURS:
        # Distant colours, so that a legend keeps its colours next to a noisy map; each is then the mean of its pixels.
        small = picture.quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        small.save(target, optimize=True)
        if target.stat().st_size <= MAX_BYTES:
            return target.stat().st_size
    raise ScreenshotError(f"{target} is too large, even with {COLOURS[-1]} colours: {target.stat().st_size} bytes")


def main() -> int:
    """Take all pictures again; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder for the pictures")
    out: Path = parser.parse_args().out.resolve()
    # Its paths appear in dialogs and in the report: short, and always the same.
    home = Path(tempfile.gettempdir()) / "sardino-guide"
    shutil.rmtree(home, ignore_errors=True)
    folder = home / "pictures"
    try:
        make_home(home)
        folder.mkdir()
        take(home, folder)
        out.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.png")):
            print(f"{squeeze(path, out / path.name):>8} bytes  {out / path.name}")
    except (ScreenshotError, SetupError) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
