"""Map the embedded simulated scene in QGIS and draw a picture of it: `make demo`.

    .venv/bin/python -m tools.demo [--input SCENE.tif] [--out build/demo]

The plugin is packed as users get it, enabled in a private QGIS profile under `build/`, and both algorithms are run
through `qgis_process`, as a user would.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path

from tools.demo_picture import draw
from tools.package import FOLDER, ROOT, PackageError, write_folder
from tools.qgis_cli import QgisError, QgisProcess

SAMPLE = ROOT / "resources" / "sample" / "simulated_s1.tif"


def prepare(folder: Path) -> QgisProcess:
    """Pack the plugin below `folder` and return a QGIS with the plugin enabled."""
    plugin = write_folder(ROOT, folder / "plugin")
    print(f"plugin       {plugin}", flush=True)
    qgis = QgisProcess(folder / "profile", plugin_path=plugin.parent, worker=Path(sys.executable))
    qgis.enable(FOLDER, "processing")
    return qgis


def map_scene(qgis: QgisProcess, scene: Path, folder: Path) -> tuple[Path, Path]:
    """Run both algorithms on `scene`; return the paths of the land-cover and the attention layer."""
    layers = folder / "landcover.tif", folder / "attention.tif"
    for name, layer, more in zip(("landcover", "attention"), layers, ({}, {"HEADS": "log"})):
        begun = time.monotonic()
        results = qgis.run(f"sardino:{name}", INPUT=scene, OUTPUT=layer, **more)
        print(f"{name:<12} {results['OUTPUT']} ({time.monotonic() - begun:.0f} s)", flush=True)
    return layers


def main() -> int:
    """Run the demonstration; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--input", type=Path, default=SAMPLE, help="a VV, VH raster (default: the simulated sample)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "demo", help="folder for the layers and the picture"
    )
    arguments = parser.parse_args()
    scene, folder = arguments.input.resolve(), arguments.out.resolve()
    title = "simulated sample scene" if scene == SAMPLE else scene.name
    try:
        if not scene.is_file():
            raise QgisError(f"no such file: {scene}")
        shutil.rmtree(folder / "profile", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"input        {scene} ({title})", flush=True)
        landcover, attention = map_scene(prepare(folder), scene, folder)
        picture = draw(scene, landcover, attention, folder / "demo.png", title)
    except (QgisError, PackageError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(f"picture      {picture}\n\nOpen the layers in QGIS; each brings its own style.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
