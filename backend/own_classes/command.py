"""Run `train`: learn your own classes from samples in a raster, and write a model folder.

    python -m backend train RASTER MODEL_DIR --samples SAMPLES.geojson --field CLASS [--title TEXT]
        [--also RASTER …] [--legend LEGEND.json] [--model NAME|DIR] [--no-check] [--bands 1 2] [--units auto]
        [--overwrite] [--progress bar|json|none]

SAMPLES holds points or polygons (GeoJSON), CLASS is the field with their class. LEGEND may give classes a name and a
colour: {"class": {"name": "Forest", "color": "#006400"}}. Each --also adds a scene, of another place or date, and
samples are used with every scene that they lie in. The transformer of the model named by --model stays as it is; a
forest learns the classes from its tokens and from focal statistics of backscatter at the samples' pixels. Unless
--no-check is given, accuracy is measured on spatial blocks of samples held out in turn, logged, and written into the
card. A minute or so on two cores.
"""

from __future__ import annotations

from backend.card.registry import model_folder
from backend.core.errors import ResourceError
from backend.maps.request import MapContext, Request
from backend.own_classes.legend import read_styles
from backend.own_classes.model_folder import MAX_TITLE, claim_folder, printable, title_of
from backend.own_classes.samples import SampleSource


def train(request: Request, source: SampleSource, check: bool = True, context: MapContext | None = None) -> None:
    """Learn classes and write the model folder that the request names as its output.

    Args:
        request: Raster, backbone and output.
        source: Samples.
        check: Whether accuracy on held-out blocks is measured.
        context: Reporter, cancel and models; new ones if None.

    Raises:
        SarDinoError: Refused or cancelled; then no folder is written, and an older one is unchanged.
    """
    # The learning code takes seconds to import, so the cheap checks come first.
    styles = read_styles(source.legend) if source.legend else {}
    try:
        from backend.own_classes.learn import learn
    except ModuleNotFoundError as missing:
        raise ResourceError(
            f"The Python package {str(missing.name).partition('.')[0]} is not installed here; own classes need it.",
            "Set up the backend again: the environment is of an older version.",
        ) from missing
    from backend.maps.run import start_run

    context = context or MapContext()
    title = printable(source.title)[:MAX_TITLE] or title_of(request.output)
    place = claim_folder(request.output, model_folder(request.model), request.overwrite, context.cancel)
    with place, start_run(request, "train", {}, context) as session:
        learn(session, source, title, styles, check)
