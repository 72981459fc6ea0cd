import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import InputError
from training.run.config import RECIPES, differences, load_recipe, override, resolve, resolved, write_resolved
from training.run.pretrain_config import DinoConfig, PretrainConfig

NAMES = sorted(path.stem for path in RECIPES.glob("*.toml") if "[dino]" in path.read_text())


def test_the_presets_are_there() -> None:
    assert {"cpu_small", "vit_tiny_patch8", "vit_small_patch8", "vit_small_patch16", "vit_base_patch16"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_bundled_recipes_resolve_and_survive_json(name: str, tmp_path: Path) -> None:
    config = resolve(PretrainConfig, load_recipe(name))
    write_resolved(tmp_path / "config.json", config, recipe=name)
    read = json.loads((tmp_path / "config.json").read_text())
    assert resolve(PretrainConfig, read["config"]) == config
    assert "-m training.pretrain --recipe " in (RECIPES / f"{name}.toml").read_text()


def test_settings_override_by_type() -> None:
    data = override(
        load_recipe("cpu_small"),
        ["optim.steps=7", "optim.base_lr=1", "crops.rot90=true", "crops.global_scale=[0.5, 1]", "run.device=cpu"],
    )
    config = resolve(PretrainConfig, data)
    assert (config.optim.steps, config.optim.base_lr, config.crops.rot90) == (7, 1.0, True)
    assert isinstance(config.optim.base_lr, float)
    assert (config.crops.global_scale, config.run.device) == ((0.5, 1.0), "cpu")
    assert load_recipe("cpu_small")["optim"]["steps"] != 7


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("optim.step=7", "optim.steps"),
        ("optim.steps=7.5", "whole number"),
        ("optim.steps=true", "whole number"),
        ("optim.steps=many", "whole number"),
        ("crops.flip=1", "true or false"),
        ("crops.global_scale=[0.5]", "1 values, wanted 2"),
        ("crops.global_scale=0.5", "wanted a list"),
        ("crops.global_scale=[0.5, 2.0]", "each value of crops.global_scale to a number above 0 up to 1"),
        ("crops.global_scale=[0.9, 0.5]", "lowest number first"),
        ("optim.steps=0", "Set optim.steps to 1 or more."),
        ("optim.warmup=nan", "Set optim.warmup to a number from 0 to 1."),
        ("dino.drop_path=1.0", "from 0 to below 1"),
        ("dino.centring=none", "Set dino.centring to one of ema, sinkhorn."),
        ("run.precision=half", "auto, float32, bfloat16"),
        ("crops.local_size=30", "crops.local_size is 30. Set it to a multiple of model.patch, 8."),
        ("optim=3", "optim is 3, wanted keys with values"),
        (f"optim.base_lr=1{400 * '0'}", "optim.base_lr is 1000"),
        ("optim.steps.more=3", "section"),
        ("optim.steps", "section.key=value"),
        ("run.device=tpu", "run.device"),
        ("dino.student_temp=0", "above 0"),
        ("models.patch=8", "models"),
    ],
)
def test_bad_settings_are_refused_by_name(setting: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(PretrainConfig, override(load_recipe("cpu_small"), [setting]))
    assert says in f"{caught.value.message} {caught.value.hint}"


def test_a_momentum_without_a_centre_is_refused() -> None:
    with pytest.raises(InputError, match=r"dino.centre_momentum is 0.5, and sinkhorn"):
        DinoConfig(centring="sinkhorn", centre_momentum=0.5)
    assert DinoConfig(centring="sinkhorn") == resolve(DinoConfig, resolved(DinoConfig(centring="sinkhorn")))


@pytest.mark.parametrize(
    "setting, needed",
    [
        ({"mask_probability": 0.4}, "ibot_weight"),
        ({"mask_ratio": (0.2, 0.5)}, "ibot_weight"),
        ({"ibot_shared_head": False}, "ibot_weight"),
        ({"levels_first": 0.4}, "levels_weight"),
        ({"levels_scales": (8, 16)}, "levels_weight"),
        ({"levels_tails": True}, "levels_weight"),
        ({"standardise": True, "dino_weight": 0.0, "koleo_weight": 0.1}, "dino_weight"),
    ],
)
def test_settings_of_losses_that_are_off_are_refused(setting: dict[str, Any], needed: str) -> None:
    with pytest.raises(InputError, match=rf"dino\.{next(iter(setting))} is .*, and has no effect without .*{needed}"):
        DinoConfig(**setting)
    DinoConfig(**(setting | {needed: 0.5}))


def test_unknown_recipe_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_recipe("huge")
    assert "cpu_small" in caught.value.hint
    broken = tmp_path / "broken.toml"
    broken.write_text("steps = [")
    with pytest.raises(InputError, match="not a recipe"):
        load_recipe(str(broken))


def test_differences_name_what_changed() -> None:
    old = resolved(resolve(PretrainConfig, load_recipe("cpu_small")))
    new = resolved(resolve(PretrainConfig, override(load_recipe("cpu_small"), ["optim.steps=7", "run.workers=1"])))
    assert differences(old, old) == []
    assert differences(old, new) == ["optim.steps", "run.workers"]
