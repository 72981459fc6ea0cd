"""Save and load the whole state of a run: tensors in safetensors, scalars in JSON, replaced atomically.

A checkpoint is a folder with ``state.json`` and the one tensor file that it names. The tensors are written first
under a name that holds their step; the new checkpoint counts once ``state.json`` is replaced. A run that is killed
at any time leaves the older checkpoint or the newer one.

``state.json`` holds a SHA-256 of the tensor file, the step and the scalars: altered numbers are refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from backend.core.errors import ModelError
from training.run.files import write_bytes, write_text
from training.run.tensor_files import check_finite, from_bytes, to_bytes

STATE = "state.json"
_KEYS = {"step", "tensors", "scalars", "sha256"}
_HINT = "Start the run again in another folder."


def save_checkpoint(folder: Path, step: int, tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> None:
    """Replace the checkpoint in `folder` by this state, then remove older tensor files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"step-{step:09d}.safetensors"
    content = to_bytes(tensors)
    write_bytes(folder / name, content)
    state = {"step": step, "tensors": name, "scalars": dict(scalars)}
    write_text(folder / STATE, json.dumps({**state, "sha256": _digest(state, content)}, indent=2) + "\n")
    for other in folder.glob("step-*.safetensors"):
        if other.name != name:
            other.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> tuple[int, dict[str, Tensor], dict[str, Any]]:
    """Return step, tensors on the CPU and scalars of the checkpoint in `folder`.

    Raises:
        ModelError: There is no checkpoint, or it is damaged, altered, or holds values that are not finite.
    """
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        if state.keys() - _KEYS:
            raise ValueError(f"{STATE} has unknown keys")
        content = (folder / Path(state["tensors"]).name).read_bytes()
        # Checkpoints of version 0.1 have no hash.
        if state.get("sha256", digest := _digest(state, content)) != digest:
            raise ValueError("its content doesn't match its SHA-256")
        tensors = from_bytes(content)
        check_finite(tensors)
        return int(state["step"]), tensors, dict(state["scalars"])
    except FileNotFoundError as error:
        raise ModelError(f"No checkpoint in {folder}.", "Leave out --resume to start a run.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise ModelError(f"The checkpoint in {folder} can't be read: {error}.", _HINT) from error


def _digest(state: Mapping[str, Any], content: bytes) -> str:
    """Return the SHA-256 of a tensor file and of the state without its own hash."""
    said = json.dumps([state["step"], state["tensors"], state["scalars"]])
    return hashlib.sha256(said.encode() + b"\0" + content).hexdigest()


def optimizer_tensors(optimizer: torch.optim.Optimizer, module: nn.Module) -> dict[str, Tensor]:
    """Return the optimiser's state by parameter name: ``optimizer.<parameter>.<entry>``."""
    result = {}
    for name, parameter in module.named_parameters():
        for entry, value in optimizer.state.get(parameter, {}).items():
            result[f"optimizer.{name}.{entry}"] = torch.as_tensor(value)
    return result


def restore_optimizer(optimizer: torch.optim.Optimizer, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Restore the state that `optimizer_tensors` returned; parameters without an entry had no step yet."""
    names = {name: parameter for name, parameter in module.named_parameters()}
    for key, value in tensors.items():
        prefix, _, rest = key.partition(".")
        if prefix != "optimizer":
            continue
        name, _, entry = rest.rpartition(".")
        parameter = names[name]
        # AdamW keeps its step count on the CPU and its moments on the device of the parameter.
        device = value.device if entry == "step" else parameter.device
        optimizer.state[parameter][entry] = value.clone().to(device)
