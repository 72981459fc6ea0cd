"""Import the weights of a vision transformer that others pre-trained on Sentinel-1, for fine-tuning.

    python -m training.import_backbone WEIGHTS.safetensors --out FOLDER --bands VV VH \
        --clip -30 5 -35 0 --mean -12.6 -20.3 --std 5.3 5.9
    python -m training.finetune --backbone FOLDER --data LABELLED --out MODEL

The file is a safetensors file of timm, DINO, DINOv2 or MAE; a .pth is not opened. Bands are in the order of the
network's channels (VH may come first), with the clipping, mean and standard deviation in dB that it was trained with:
they can't be seen in weights, and wrong ones make wrong maps. Instead of options they may stand in a TOML file
(`--normalisation`), as `[[bands]]` with name, unit, clip, mean and std. The number of attention heads isn't in the
weights either: one for each 64 channels unless --heads says otherwise. `--check` holds the result against an answer of
the original network: a safetensors file with `input` [N, bands, H, W], normalised, and `tokens` [N, T, D], what
`forward_features` returned for it. Exit 0 done, 1 refused, 2 usage.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from backend.card.model_card import BAND_UNITS, Band
from backend.card.validation import FieldError, from_plain
from backend.core.context import Context
from backend.core.errors import InputError, ModelError, ResourceError
from backend.core.run_events import report_result
from backend.core.supervise import add_progress, supervise
from backend.network.timm_import import VisionTransformer
from backend.network.vit import build_backbone
from training.dino.backbone import FACTS, WEIGHTS, save_backbone
from training.dino.foreign_backbone import Foreign, find_prefix, translate
from training.dino.foreign_file import opened
from training.run.common_config import ModelConfig
from training.run.config import read_toml

# Largest difference of a token, in standard deviations of all, for which rounding of other kernels accounts.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Imported:
    """Hold the contents of a TOML file of --normalisation.

    Attributes:
        bands: In the order of the network's channels.
    """

    bands: tuple[Band, ...]


def import_backbone(
    weights: Path,
    out: Path,
    bands: Sequence[Band],
    heads: int | None = None,
    prefix: str | None = None,
    check: Path | None = None,
) -> Foreign:
    """Write a folder that fine-tuning takes as its backbone.

    Args:
        weights: Safetensors file.
        out: Folder, new or empty.
        bands: In the order of the network's channels.
        heads: Attention heads; None for one for each 64 channels.
        prefix: Prefix of the names of the backbone's tensors; None to find it.
        check: File with an input and the original network's answer.

    Raises:
        InputError: The file or the arguments can't be used.
        ModelError: The file is damaged, or the answer is another one than that of the original network.
        ResourceError: The folder can't be written to.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is a file, or a folder that is not empty.", "Choose a new folder as --out.")
    with opened(weights) as file:
        found = translate(file, find_prefix(file.names, prefix), len(bands), heads)
    network = build_backbone(found.arch, len(bands), found.tile, found.patch)
    try:
        network.load_state_dict(found.weights, strict=True)
    except RuntimeError as error:
        raise InputError(f"The shapes of {weights} don't fit each other ({error}).", "Take another file.") from error
    if check is not None:
        _check(network.eval(), check, len(bands), found.patch)
    model = ModelConfig(arch=found.arch, patch=found.patch, tile=found.tile, bands=tuple(bands))
    origin = f"imported from {weights.name} (SHA-256 {_sha256(weights)[:12]}…)"
    try:
        out.mkdir(parents=True, exist_ok=True)
        save_backbone(out, network, model, origin=origin)
    except OSError as error:
        raise ResourceError(f"{out} can't be written to ({error}).", "Choose another --out.") from error
    return found


def _check(network: VisionTransformer, path: Path, bands: int, patch: int) -> None:
    with opened(path) as file:
        if not {"input", "tokens"} <= set(file.names):
            raise InputError(f"{path} has no tensors `input` and `tokens`.", "Save both from the original network.")
        answer = file.read(("input", "tokens"))
    given, wanted = answer["input"], answer["tokens"]
    if given.dim() != 4 or given.shape[1] != bands or given.shape[2] % patch or given.shape[3] % patch:
        raise InputError(
            f"The input in {path} has the shape {tuple(given.shape)}.",
            f"Save one of [N, {bands}, H, W], with H and W multiples of {patch}.",
        )
    with torch.inference_mode():
        tokens = network.forward_features(given)
    if tokens.shape != wanted.shape:
        raise ModelError(
            f"The tokens have the shape {tuple(tokens.shape)}, in {path} {tuple(wanted.shape)}.",
            "Save what forward_features returns, with class and register tokens.",
        )
    worst = float((tokens - wanted).abs().max() / wanted.std())
    if not worst <= TOLERANCE:
        raise ModelError(
            f"The tokens differ from those in {path} by up to {worst:.2g} standard deviations.",
            "Give the right --heads; else the network has parts that weights don't show, and can't be imported.",
        )


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(2**20):
            found.update(piece)
    return found.hexdigest()


def bands_of(options: argparse.Namespace) -> tuple[Band, ...]:
    """Return the bands that the options describe.

    Raises:
        InputError: Something is missing, said twice, or not usable.
    """
    given = [name for name in ("bands", "clip", "mean", "std") if getattr(options, name) is not None]
    if options.normalisation:
        if given:
            raise InputError(f"--normalisation and --{given[0]} say the same.", "Give one of them.")
        return _bands_from(read_toml(options.normalisation))
    names = options.bands or ["VV", "VH"]
    values = {"clip": options.clip or [], "mean": options.mean or [], "std": options.std or []}
    wanted = {"clip": 2 * len(names), "mean": len(names), "std": len(names)}
    for name, found in values.items():
        if len(found) != wanted[name]:
            raise InputError(
                f"--{name} has {len(found)} values, wanted {wanted[name]} for {' '.join(names)}.",
                "Give clip (low and high), mean and std in dB of each band as in the network's training, or a file "
                "with --normalisation. Weights don't hold them, and with wrong ones maps are wrong.",
            )
    rows = zip(names, values["clip"][::2], values["clip"][1::2], values["mean"], values["std"])
    return _bands_from(
        {"bands": [{"name": n, "unit": "db", "clip": [a, b], "mean": m, "std": s} for n, a, b, m, s in rows]}
    )


def _bands_from(data: dict[str, Any]) -> tuple[Band, ...]:
    try:
        bands = from_plain(Imported, data).bands
    except FieldError as error:
        raise InputError(f"{error.found}.", error.hint) from error
    for band in bands:
        if not band.clip[0] < band.clip[1] or not band.std > 0:
            raise InputError(f"Band {band.name} has clip {band.clip} and std {band.std}.", "Correct these numbers.")
        if band.unit not in BAND_UNITS:
            raise InputError(f"Band {band.name} has unit {band.unit!r}.", f"Use one of {', '.join(BAND_UNITS)}.")
    names = [band.name for band in bands]
    if not names or len(set(names)) < len(names):
        raise InputError("No band is named, or one twice.", "Name each band once, in the network's order.")
    return bands


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return options as a namespace; wrong usage ends the process with 2."""
    first = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m training.import_backbone", description=first)
    parser.add_argument("weights", type=Path, help="safetensors file with the weights")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, for finetune --backbone")
    parser.add_argument(
        "--bands", nargs="+", metavar="NAME", help="names of the bands, in the order of the network's channels (VV VH)"
    )
    parser.add_argument("--clip", nargs="+", type=float, metavar="DB", help="lowest and highest value of each band")
    parser.add_argument("--mean", nargs="+", type=float, metavar="DB", help="mean of each band")
    parser.add_argument("--std", nargs="+", type=float, metavar="DB", help="standard deviation of each band")
    parser.add_argument("--normalisation", type=Path, metavar="TOML", help="file with [[bands]], instead of these four")
    parser.add_argument(
        "--heads", type=int, metavar="N", help="number of attention heads; default: one for each 64 channels"
    )
    parser.add_argument("--prefix", metavar="TEXT", help="prefix of the tensors' names, such as teacher.backbone.")
    parser.add_argument(
        "--check", type=Path, metavar="FILE", help="safetensors file with input and tokens of the original network"
    )
    add_progress(parser)
    return parser.parse_args(arguments)


def command(options: argparse.Namespace, context: Context) -> None:
    """Run the command with its options.

    Raises:
        SarDinoError: Refused.
    """
    began, log = time.monotonic(), context.reporter.log
    bands = bands_of(options)
    found = import_backbone(options.weights, options.out, bands, options.heads, options.prefix, options.check)
    arch = found.arch
    log(
        "info",
        f"width {arch.embed_dim}, {arch.depth} blocks, patch {found.patch}, tile {found.tile}, positions "
        f"{arch.positions}, {arch.registers} registers; bands {', '.join(band.name for band in bands)}",
    )
    if options.check is None:
        assumed = "given" if options.heads else "assumed, one for each 64 channels"
        log("warning", f"{arch.heads} attention heads ({assumed}): weights can't tell; --check can.")
    if found.left_out:
        shown = ", ".join(found.left_out[:5]) + ", …" * (len(found.left_out) > 5)
        log("info", f"Left out {len(found.left_out)} tensors that are not of the backbone: {shown}")
    report_result(context.reporter, began, {"output": options.out / WEIGHTS, "facts": options.out / FACTS})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; exit code: 0 done, 1 refused, 130 cancelled. Wrong usage ends the process with 2."""
    return supervise(command, parse(arguments))


if __name__ == "__main__":
    sys.exit(main())
