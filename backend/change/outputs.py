"""Claim the outputs of a comparison, rasters and texts, and give all of them their names together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from backend import PROGRAM, __version__
from backend.card.model_card import LandCoverClass
from backend.core.atomic_files import parts_of, placed_together, refusing, sync_folder
from backend.core.cancel import Cancel
from backend.core.claims import key
from backend.core.context import Context
from backend.core.errors import InputError
from backend.output.names import claim_outputs
from backend.output.raster_set import RasterSet
from backend.output.sink import Layer, RasterSink
from backend.output.types import check_report_type, type_notes
from backend.raster.grid import Grid

# Roles of outputs that are texts; of these `types.check_report_type` calls the page "output".
TEXTS = {"report": "output", "json": "json", "csv": "csv"}


@contextmanager
def claimed_outputs(
    paths: Mapping[str, Path], sources: Sequence[str], overwrite: bool, context: Context
) -> Iterator[ChangeOutputs]:
    """Check and claim the outputs of a run; those that were not committed are removed at the end of the block.

    Args:
        paths: Outputs by role; those of TEXTS are texts, all others rasters.
        sources: Inputs of the run.
        overwrite: Whether existing outputs are replaced.
        context: Reporter and cancel.

    Raises:
        SarDinoError: An output can't be written, see `output.names.claim_outputs`.
    """
    texts = {role: path for role, path in paths.items() if role in TEXTS}
    rasters = {role: path for role, path in paths.items() if role not in TEXTS}
    for role, path in texts.items():
        check_report_type(path, TEXTS[role])
        if key(path) in map(key, rasters.values()):
            raise InputError("Two outputs have the same path.", "Give each output its own name.")
    with ExitStack() as stack:
        stack.enter_context(claim_outputs(list(rasters.values()), sources, overwrite, context.cancel))
        stack.enter_context(claim_outputs(list(texts.values()), sources, overwrite, context.cancel, rasters=False))
        for note in type_notes(rasters.values()):
            context.reporter.log("info", note)
        yield ChangeOutputs(texts, rasters, context.cancel, stack)


class ChangeOutputs:
    """Hold the outputs of a run by role.

    Args:
        texts: Paths of texts by role.
        rasters: Paths of rasters by role.
        cancel: Ends the run when set.
        stack: Takes what is to be removed when the run ends.
    """

    def __init__(
        self, texts: Mapping[str, Path], rasters: Mapping[str, Path], cancel: Cancel, stack: ExitStack
    ) -> None:
        self.texts, self.rasters = texts, rasters
        self._cancel, self._set = cancel, RasterSet(stack, cancel)

    def sink(self, role: str, layer: Layer, grid: Grid) -> RasterSink:
        """Open the raster of a role."""
        return self._set.open(role, self.rasters[role], grid, layer)

    def finish(self) -> None:
        """Close and check all rasters, which can be read from then on."""
        self._set.finish()

    def commit(self, styles: Mapping[str, str], classes: Sequence[LandCoverClass], texts: Mapping[str, str]) -> None:
        """Give all outputs their names: all, or in a failure none that is new.

        Args:
            styles: QGIS style of each raster.
            classes: Legend of the main raster.
            texts: Contents of the texts by role.
        """
        self._set.add_styles(styles, classes)
        with parts_of(self.texts.values(), cancel=self._cancel) as parts:
            for role, part in zip(self.texts, parts):
                with refusing(part.path):
                    part.write(texts[role].encode("utf-8"))
            self._cancel.check()
            with self._cancel.shielded(), placed_together(parts):
                for part in parts:
                    with refusing(part.path):
                        part.place()
                for folder in {part.path.parent for part in parts}:
                    sync_folder(folder)
                self._set.place()


def file_tags(what: str, before: str, after: str, more: Mapping[str, str]) -> dict[str, str]:
    """Return metadata by which an output can be recognised and made again.

    Args:
        what: Such as "change".
        before: Name of the earlier raster.
        after: Name of the later raster.
        more: Further tags.
    """
    first, second = Path(before).name, Path(after).name
    return {
        "SARDINO_VERSION": __version__,
        "SARDINO_INPUT": f"{first}, {second}",
        "SARDINO_OUTPUT": what,
        "TIFFTAG_SOFTWARE": PROGRAM,
        "TIFFTAG_IMAGEDESCRIPTION": f"{what} from {first} to {second}",
        **more,
    }
