"""Test one step of a fine-tuning: the weights it changes, the labels it uses, and its precision."""

from __future__ import annotations

import pytest
import torch

from backend.card.arch import FINETUNED_HEADS
from backend.core.errors import ModelError
from backend.network.vit import build_backbone
from tests.support.two_classes import make_folder, model_arch, run, tuner_of
from training.dino.backbone import save_backbone
from training.landcover.finetuner import parameter_groups
from training.landcover.initial_network import start_from
from training.landcover.loss import IGNORE, balance
from training.run.common_config import ModelConfig
from training.run.finetune_config import FinetuneConfig


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def backbones(data, tmp_path_factory):
    """Make each kind of --backbone: the folder of a pre-training, that of a model, and the two words."""
    root = tmp_path_factory.mktemp("backbones")
    torch.manual_seed(7)
    sizes = ModelConfig(arch=model_arch(), patch=8, tile=64)  # tiles of another size than fine-tuning's
    (root / "run").mkdir()
    save_backbone(root / "run", build_backbone(sizes.arch, 2, 64, 8), sizes, step=1, steps=1)
    assert run(data, root / "model", "steps=1", "head=linear") == 0
    return {"run": root / "run", "model": root / "model", "none": "none", "random-frozen": "random-frozen"}


@pytest.mark.parametrize("kind", ["run", "model", "none", "random-frozen"])
@pytest.mark.parametrize("head", FINETUNED_HEADS)
def test_a_frozen_backbone_stays_as_it_was_bit_by_bit(data, backbones, head, kind):
    frozen = {} if kind == "random-frozen" else {"freeze_backbone": True}
    tuner, inputs, targets = tuner_of(data, backbone=backbones[kind], head=head, **frozen)
    before = {name: value.clone() for name, value in tuner.model.state_dict().items()}
    for step in range(3):
        tuner.step(step, inputs, targets)
    after = tuner.model.state_dict()
    changed = {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head"}


@pytest.mark.parametrize("kind", ["run", "model", "none"])
def test_an_unfrozen_backbone_learns(data, backbones, kind):
    tuner, inputs, targets = tuner_of(data, backbone=backbones[kind])
    before = tuner.model.backbone.blocks[0].mlp.fc1.weight.clone()
    tuner.step(0, inputs, targets)
    assert not torch.equal(before, tuner.model.backbone.blocks[0].mlp.fc1.weight)


@pytest.mark.parametrize("head", FINETUNED_HEADS)
def test_a_frozen_backbone_costs_no_gradients(data, head):
    frozen, inputs, _ = tuner_of(data, head=head, freeze_backbone=True)
    free, _, _ = tuner_of(data, head=head)
    stepped = {id(p) for group in frozen.optimizer.param_groups for p in group["params"]}
    assert stepped == {id(p) for p in frozen.model.head.parameters()}
    tokens = []  # as the head gets them
    for tuner in (frozen, free):
        hook = tuner.model.head.register_forward_pre_hook(lambda module, given: tokens.append(given[1]))
        assert tuner.logits(inputs).requires_grad
        hook.remove()
    assert not any(t.requires_grad for t in tokens[0]) and all(t.requires_grad for t in tokens[1])
    assert not any(module.training for module in frozen.model.backbone.modules()) and frozen.model.head.training
    assert free.model.backbone.training


def test_blocks_learn_slower_the_deeper_they_lie(data):
    start = start_from("none", ModelConfig(arch=model_arch(), patch=8, tile=32), "decoder", 32, 32, 2)
    config = FinetuneConfig(tile=32, layer_decay=0.5)
    scale = {id(p): group["scale"] for group in parameter_groups(start, config) for p in group["params"]}
    decay = {id(p): group["weight_decay"] for group in parameter_groups(start, config) for p in group["params"]}
    backbone = start.model.backbone
    assert scale[id(backbone.patch_embed.proj.weight)] == 0.125
    assert scale[id(backbone.blocks[0].mlp.fc1.weight)] == 0.25
    assert scale[id(backbone.blocks[1].mlp.fc1.weight)] == 0.5
    assert scale[id(start.model.head.classify.weight)] == 1
    assert decay[id(backbone.pos_embed)] == decay[id(backbone.blocks[0].norm1.weight)] == 0
    assert decay[id(backbone.blocks[0].mlp.fc1.weight)] == config.weight_decay
    assert len(scale) == len(list(start.model.parameters()))


def test_the_heads_loss_ignores_pixels_without_a_label(data):
    """Ignored pixels make no difference, and a batch without labels changes nothing."""
    tuner, inputs, targets = tuner_of(data, head="linear", label_smoothing=0.1, freeze_backbone=True)
    holes = targets.clone()
    holes[:, :16] = IGNORE
    logits = tuner.logits(inputs).detach()
    found = tuner.step(0, inputs, holes)
    log_shares = logits.log_softmax(dim=1)[:, :, 16:]
    target = torch.nn.functional.one_hot(targets[:, 16:], 2).permute(0, 3, 1, 2).float()
    weight = tuner.loss.weights[None, :, None, None]
    # Cross-entropy with smoothing, written out: Szegedy et al. 2015, section 7; weighted as PyTorch documents it.
    each = -(weight * (0.9 * target + 0.05) * log_shares).sum()
    assert found == pytest.approx(float(each / (weight * target).sum()), rel=1e-4)

    before = [p.clone() for p in tuner.model.parameters()]
    assert tuner.step(1, inputs, torch.full_like(targets, IGNORE)) == 0.0
    assert all(torch.equal(a, b) for a, b in zip(before, tuner.model.parameters()))
    assert tuner.take_loss() == pytest.approx(found)  # the mean of the log leaves it out


def test_class_weights_change_the_loss(data):
    losses = {}
    for how in ("none", "sqrt", "inverse"):
        tuner, inputs, targets = tuner_of(data, class_weights=how, label_smoothing=0.0)
        tuner.loss.weights = balance([0.8, 0.2], how)
        losses[how] = tuner.step(0, inputs, targets)
    assert len({round(loss, 6) for loss in losses.values()}) == 3


def test_bfloat16_is_a_choice_and_auto_on_the_cpu_is_float32(data):
    found = {}
    for precision in ("auto", "float32", "bfloat16"):
        tuner, inputs, targets = tuner_of(data, precision=precision)
        found[precision] = [tuner.step(step, inputs, targets) for step in range(4)]
        assert {p.dtype for p in tuner.model.parameters()} == {torch.float32}
    assert found["auto"] == found["float32"] != found["bfloat16"]
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.05)


def test_a_gradient_that_is_not_finite_changes_no_weight(data):
    """A finite loss may have a gradient that is not finite, which must not reach the next checkpoint."""
    tuner, inputs, targets = tuner_of(data, head="linear")
    tuner.model.head.project.weight.register_hook(lambda gradient: gradient * float("inf"))
    before = [p.clone() for p in tuner.model.parameters()]
    with pytest.raises(ModelError, match="gradient"):
        tuner.step(0, inputs, targets)
    assert all(torch.equal(a, b) for a, b in zip(before, tuner.model.parameters()))
