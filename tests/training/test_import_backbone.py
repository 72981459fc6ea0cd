"""Test the import of others' weights: the same tokens as timm's network, refusals, and fine-tuning on the result."""

from __future__ import annotations

import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from backend.network.timm_import import timm
from backend.network.weights import load_model
from tests.support.two_classes import SMALL, make_folder
from training.dino.backbone import load_backbone
from training.dino.foreign_file import CONVERT
from training.finetune import main as finetune_main
from training.import_backbone import main

SCALES = ["--clip", "-30", "5", "-35", "0", "--mean", "-12.6", "-20.3", "--std", "5.3", "5.9"]


def network(**sizes):
    """Return a ViT of timm for two bands, every weight of it random."""
    torch.manual_seed(1)
    sizes = {"embed_dim": 32, "depth": 2, "num_heads": 4, "img_size": 32, "patch_size": 8, "in_chans": 2} | sizes
    model = timm.create_model("vit_small_patch16_224", num_classes=0, **sizes).eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.normal_(0, 0.3)
    return model


def write(folder, model, prefix="", **more):
    tensors = {prefix + name: tensor for name, tensor in model.state_dict().items()} | more
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


def run(file, out, *more, scales=SCALES):
    return main([str(file), "--out", str(out), "--heads", "4", *scales, *more, "--progress", "none"])


def same_tokens(model, folder, side=32):
    x = torch.randn(2, 2, side, side, generator=torch.Generator().manual_seed(3))
    found, facts = load_backbone(folder, side)
    with torch.inference_mode():
        torch.testing.assert_close(found.forward_features(x), model.forward_features(x), atol=1e-4, rtol=1e-4)
    return facts


@pytest.mark.parametrize(
    "sizes",
    [
        {}, {"patch_size": 16, "img_size": 64, "depth": 1}, {"reg_tokens": 3}, {"qkv_bias": False},
        {"init_values": 0.1}, {"reg_tokens": 3, "no_embed_class": True}, {"no_embed_class": True},
        {"pos_embed": "none"},
    ],
)  # fmt: skip
def test_the_tokens_are_those_of_the_original(sizes, tmp_path):
    model = network(**sizes)
    assert run(write(tmp_path, model), tmp_path / "b") == 0
    facts = same_tokens(model, tmp_path / "b", 64 if sizes.get("img_size") == 64 else 32)
    arch = facts["arch"]
    assert (arch["embed_dim"], arch["depth"], arch["heads"]) == (32, sizes.get("depth", 2), 4)
    assert (arch["registers"], facts["patch"]) == (sizes.get("reg_tokens", 0), sizes.get("patch_size", 8))
    assert arch["positions"] == sizes.get("pos_embed", "learned")
    assert [band["name"] for band in facts["bands"]] == ["VV", "VH"] and facts["bands"][1]["clip"] == [-35, 0]


@pytest.mark.parametrize(
    "prefix, beside",
    [
        ("teacher.backbone.", {"student.backbone.patch_embed.proj.weight", "teacher.head.mlp.0.weight"}),
        ("module.", {"module.head.weight"}), ("backbone.", set()), ("model.encoder.", {"model.decoder.patch.weight"}),
        ("", {"mask_token", "decoder_pos_embed", "decoder_blocks.0.norm1.weight", "decoder_pred.bias"}),
    ],
)  # fmt: skip
def test_prefixes_go_and_other_parts_are_left_out_and_told(prefix, beside, tmp_path, capsys):
    model = network()
    file = write(tmp_path, model, prefix, **{name: torch.ones(3) for name in beside})
    arguments = [str(file), "--out", str(tmp_path / "b"), "--heads", "4", *SCALES, "--progress", "json"]
    assert main(arguments) == 0
    same_tokens(model, tmp_path / "b")
    told = capsys.readouterr().out
    assert f"Left out {len(beside)} tensors" in told if beside else "Left out" not in told
    assert "weights can't tell" in told and all(name in told for name in beside)


def test_names_of_dinov2_and_halves_are_taken(tmp_path):
    model = network(reg_tokens=2)
    tensors = {name.replace("reg_token", "register_tokens"): t.half() for name, t in model.state_dict().items()}
    model.load_state_dict({name: tensor.half().float() for name, tensor in model.state_dict().items()})
    save_file(tensors, tmp_path / "w.safetensors")
    assert run(tmp_path / "w.safetensors", tmp_path / "b") == 0
    same_tokens(model, tmp_path / "b")


def test_an_answer_of_the_original_tells_wrong_heads(tmp_path, capsys):
    model = network()
    x = torch.randn(1, 2, 32, 32)
    with torch.inference_mode():
        save_file({"input": x, "tokens": model.forward_features(x)}, tmp_path / "answer.safetensors")
    file, check = write(tmp_path, model), ["--check", str(tmp_path / "answer.safetensors")]
    assert run(file, tmp_path / "wrong", "--heads", "2", *check) == 1
    assert "--heads" in capsys.readouterr().err and not (tmp_path / "wrong").exists()
    assert run(file, tmp_path / "right", *check) == 0
    save_file({"input": x[:, :, :20].clone(), "tokens": x}, tmp_path / "answer.safetensors")
    assert run(file, tmp_path / "again", *check) == 1


def test_a_network_with_vh_first_is_tuned_and_its_model_maps(tmp_path):
    """Go on with a few steps: bands are found by name, so that order needs no care."""
    toml = "\n".join(
        f'[[bands]]\nname = "{name}"\nunit = "db"\nclip = [-40, 5]\nmean = {mean}\nstd = 6' for name, mean in
        (("VH", -20), ("VV", -13))
    )  # fmt: skip
    (tmp_path / "n.toml").write_text(toml)
    model = network()
    file = write(tmp_path, model)
    assert run(file, tmp_path / "b", "--normalisation", str(tmp_path / "n.toml"), scales=()) == 0
    data = make_folder(tmp_path)
    arguments = ["--backbone", str(tmp_path / "b"), "--data", str(data), "--out", str(tmp_path / "m")]
    for setting in [*SMALL, "steps=2", "val_every=2", "freeze_backbone=true"]:
        arguments += ["--set", setting]
    assert finetune_main(arguments) == 0
    tuned, card = load_model(tmp_path / "m")
    assert [band.name for band in card.bands] == ["VH", "VV"] and card.arch.heads == 4
    assert card.trained_on[0].startswith("Backbone: imported from w.safetensors (SHA-256 ")
    x = torch.randn(1, 2, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(
            tuned.backbone.forward_features(x), model.forward_features(x), atol=1e-4, rtol=1e-4
        )  # fmt: skip


@pytest.mark.parametrize(
    "scales, said",
    [
        ((), "--clip has 0 values"), (SCALES[:5], "--mean has 0 values"), (SCALES[:-1], "--std has 1 values"),
        ([*SCALES, "--bands", "VV", "VV"], "twice"), ([*SCALES, "--bands", "VV"], "wanted 2 for VV"),
        (["--clip", "5", "-30", *SCALES[3:]], "clip (5.0, -30.0)"),
        (["--bands", "VV", "--clip", "-30", "5", "--mean", "-12", "--std", "5"], "takes 2 bands, and 1 are named"),
        ([*SCALES, "--normalisation", "n.toml"], "say the same"),
    ],
)  # fmt: skip
def test_missing_or_wrong_normalisation_is_refused(scales, said, tmp_path, capsys):
    assert run(write(tmp_path, network(depth=1)), tmp_path / "b", scales=scales) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "sizes, said",
    [
        ({"class_token": False, "global_pool": "avg"}, "cls_token"), ({"qk_norm": True}, "attn.k_norm"),
        ({"mlp_ratio": 2}, "64 wide inside"), ({"pre_norm": True}, "norm_pre.weight"),
        ({"img_size": (32, 64)}, "33 positions"), ({"patch_size": (8, 16)}, "8 x 16"),
    ],
)  # fmt: skip
def test_networks_built_otherwise_are_refused_by_name(sizes, said, tmp_path, capsys):
    assert run(write(tmp_path, network(depth=1, **sizes)), tmp_path / "b") == 1
    assert said in capsys.readouterr().err and not (tmp_path / "b").exists()


def test_files_with_no_network_or_several_are_refused(tmp_path, capsys):
    model = network(depth=1)
    save_file({"conv1.weight": torch.ones(2)}, tmp_path / "r.safetensors")
    several = write(tmp_path, model, "a.", **{f"b.{name}": t for name, t in model.state_dict().items()})
    (tmp_path / "t.safetensors").write_text("no tensors")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    for file, out, said in [
        (tmp_path / "r.safetensors", "b", "no …patch_embed.proj.weight"), (several, "b", "'a.', 'b.'"),
        (tmp_path / "t.safetensors", "b", "not a safetensors file"), (tmp_path / "none", "b", "can't be read"),
        (several, "full", "not empty"),
    ]:  # fmt: skip
        assert run(file, tmp_path / out) == 1
        assert said in capsys.readouterr().err
    assert run(several, tmp_path / "b", "--prefix", "b") == 0
    same_tokens(model, tmp_path / "b")
    nan = write(tmp_path, model, **{"cls_token": torch.full((1, 1, 32), torch.nan)})
    assert run(nan, tmp_path / "c") == 1 and "not finite" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    "name, shape",
    [
        ("pos_embed", (1, 17, 16)), ("pos_embed", (2, 17, 32)), ("pos_embed", (17, 32)), ("cls_token", (32,)),
        ("patch_embed.proj.weight", (32, 2)), ("patch_embed.proj.weight", (0, 2, 8, 8)), ("norm.weight", (31,)),
        ("blocks.0.mlp.fc1.weight", ()), ("blocks.0.ls1.gamma", (1,)), ("reg_token", (2,)),
        ("blocks.0.attn.proj.weight", (32,)), ("blocks.1.norm1.weight", (32,)), ("blocks.0.attn.qkv.bias", (3,)),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_each_other_are_refused(name, shape, tmp_path, capsys):
    assert run(write(tmp_path, network(depth=1), **{name: torch.ones(shape)}), tmp_path / "b") == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said and "hint" in said and "card" not in said and not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["w.pth", "w.weights"])
def test_a_pickle_is_not_opened_and_the_way_told_works(name, tmp_path, capsys, monkeypatch):
    model = network(depth=1)
    torch.save({"teacher": model.state_dict(), "epoch": 3}, tmp_path / name)
    assert run(tmp_path / name, tmp_path / "b") == 1
    said = capsys.readouterr().err
    assert "not opened" in said and CONVERT in said and not (tmp_path / "b").exists()
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path / name), str(tmp_path / "c.safetensors")])
    exec(CONVERT, {})
    assert load_file(tmp_path / "c.safetensors").keys() == model.state_dict().keys()
    assert run(tmp_path / "c.safetensors", tmp_path / "b") == 0
    assert json.loads((tmp_path / "b" / "backbone.json").read_text())["origin"].startswith("imported from c.safe")
