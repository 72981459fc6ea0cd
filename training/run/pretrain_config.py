"""The settings of a pre-training run, with their defaults, as frozen dataclasses.

Lengths of warm-ups are fractions of the run, not steps: a recipe keeps its shape when ``optim.steps`` is set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.card.arch import Arch
from backend.card.model_card import Band
from backend.core.errors import InputError
from backend.engines.precision import check_precision


def _require(ok: bool, message: str, hint: str) -> None:
    if not ok:
        raise InputError(f"{message}.", f"{hint[:1].upper()}{hint[1:]}.")


@dataclass(frozen=True)
class CropConfig:
    """Multi-crop geometry and SAR augmentations; sizes in pixels, gains in dB, probabilities per view.

    Attributes:
        window: side of the square of a scene that all views of one sample are cut from.
        global_size: output side of the two global views.
        global_scale: area of a global view as a fraction of the window, lowest and highest.
        local_size: output side of a local view.
        local_scale: area of a local view as a fraction of the window.
        local_count: number of local views.
        min_valid: a view with a smaller valid fraction is drawn again.
        flip: mirror along either axis, each with probability one half.
        rot90: rotate by a multiple of 90 degrees; off, as it mixes the look direction of the radar.
        speckle: probability of extra gamma speckle.
        speckle_looks: range of the equivalent number of looks of that speckle; few looks are strong speckle.
        speckle_correlated: correlate the speckle between neighbours as in Sentinel-1 GRDH, else white.
        gain_common_db: deviation of a gain shared by all bands of one acquisition, those whose names differ by the
            polarisation only (calibration, incidence angle, moisture). Coherence has neither gain nor speckle.
        gain_band_db: deviation of a gain of each band by itself (channel imbalance).
        band_drop: probability that one band is hidden, where more than one is present.
        pairs: probability that the two global views show two dates, where the data has several of a place; local
            views then show either.
    """

    window: int = 128
    global_size: int = 96
    global_scale: tuple[float, float] = (0.4, 1.0)
    local_size: int = 48
    local_scale: tuple[float, float] = (0.05, 0.4)
    local_count: int = 6
    min_valid: float = 0.6
    flip: bool = True
    rot90: bool = False
    speckle: float = 0.5
    speckle_looks: tuple[float, float] = (5.0, 30.0)
    speckle_correlated: bool = True
    gain_common_db: float = 0.7
    gain_band_db: float = 0.4
    band_drop: float = 0.2
    pairs: float = 1.0

    def __post_init__(self) -> None:
        """Refuse settings that no crop can meet."""
        for name in ("global_scale", "local_scale"):
            low, high = getattr(self, name)
            _require(0 < low <= high <= 1, f"crops.{name} is [{low}, {high}]", "give 0 < lowest <= highest <= 1")
        for name in ("min_valid", "speckle", "band_drop", "pairs"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"crops.{name} is {value}", "give a fraction from 0 to 1")
        _require(min(self.window, self.global_size, self.local_size) > 0, "a crop size is not positive", "give pixels")
        _require(self.local_count >= 0, f"crops.local_count is {self.local_count}", "give 0 or more")
        low, high = self.speckle_looks
        _require(0 < low <= high, f"crops.speckle_looks is [{low}, {high}]", "give 0 < lowest <= highest")
        _require(min(self.gain_common_db, self.gain_band_db) >= 0, "a gain deviation is negative", "give dB >= 0")


@dataclass(frozen=True)
class DinoConfig:
    """Head, loss and teacher (Caron et al. 2021, table 8 to 11 and appendix).

    Attributes:
        out_dim: number of prototypes.
        hidden_dim: width of the head's hidden layers.
        bottleneck_dim: width before the last layer.
        norm_last_layer: keep the last layer's row norms at one (steadier), else learn them.
        student_temp: student temperature.
        teacher_temp: teacher temperature after its warm-up.
        teacher_temp_start: teacher temperature at step 0.
        teacher_temp_warmup: fraction of the run over which it rises.
        centring: of the teacher's targets: "ema" (moving centre) or "sinkhorn" (Sinkhorn-Knopp on the batch).
        centre_momentum: EMA momentum of the centre; of no use with "sinkhorn".
        momentum: EMA momentum of the teacher at step 0; it goes to 1 by a cosine.
        drop_path: stochastic depth of the student's last block, rising linearly from 0 in the first.
        koleo_weight: of KoLeo, which spreads the class tokens of the two global views; 0 for none, DINOv2 has 0.1.
        ibot_weight: of iBOT's loss at masked patches, beside 1 for the class tokens; 0 for none, iBOT has 1.
        ibot_mask_probability: of a global view of the student to be masked at all.
        ibot_mask_ratio: share of the patches of a masked view that is hidden, lowest and highest.
        ibot_shared_head: patch tokens go through the head of the class tokens (iBOT), else one of their own (DINOv2).
    """

    out_dim: int = 65536
    hidden_dim: int = 2048
    bottleneck_dim: int = 256
    norm_last_layer: bool = True
    student_temp: float = 0.1
    teacher_temp: float = 0.04
    teacher_temp_start: float = 0.04
    teacher_temp_warmup: float = 0.0
    centring: str = "ema"
    centre_momentum: float = 0.9
    momentum: float = 0.996
    drop_path: float = 0.1
    koleo_weight: float = 0.0
    ibot_weight: float = 0.0
    ibot_mask_probability: float = 0.5
    ibot_mask_ratio: tuple[float, float] = (0.1, 0.5)
    ibot_shared_head: bool = True

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        for name in ("student_temp", "teacher_temp", "teacher_temp_start"):
            _require(getattr(self, name) > 0, f"dino.{name} is {getattr(self, name)}", "temperatures are above 0")
        for name in ("centre_momentum", "momentum", "teacher_temp_warmup", "ibot_mask_probability"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"dino.{name} is {value}", "give a number from 0 to 1")
        _require(0 <= self.drop_path < 1, f"dino.drop_path is {self.drop_path}", "give a number from 0 to below 1")
        smallest = min(self.out_dim, self.hidden_dim, self.bottleneck_dim)
        _require(smallest > 0, f"a width of the head is {smallest}", "give 1 or more")
        _require(self.centring in ("ema", "sinkhorn"), f"dino.centring is {self.centring!r}", "use ema or sinkhorn")
        for name in ("koleo_weight", "ibot_weight"):
            _require(getattr(self, name) >= 0, f"dino.{name} is {getattr(self, name)}", "give 0 or more")
        low, high = self.ibot_mask_ratio
        _require(0 < low <= high <= 1, f"dino.ibot_mask_ratio is [{low}, {high}]", "give 0 < lowest <= highest <= 1")


@dataclass(frozen=True)
class OptimConfig:
    """AdamW and its schedules; warm-up and freezing are fractions of the run.

    Attributes:
        steps: optimiser steps of the whole run.
        batch: samples a step over all processes.
        base_lr: peak learning rate for a batch of 256; scaled linearly with the batch.
        min_lr: learning rate at the end, not scaled.
        warmup: fraction of the run with linear warm-up.
        weight_decay: at step 0; biases and norms have none.
        weight_decay_end: at the last step, by a cosine.
        clip_grad: largest norm of the whole gradient; 0 for no clipping.
        freeze_last_layer: fraction of the run in which the head's last layer stays as initialised.
    """

    steps: int = 100_000
    batch: int = 256
    base_lr: float = 5e-4
    min_lr: float = 1e-6
    warmup: float = 0.1
    weight_decay: float = 0.04
    weight_decay_end: float = 0.4
    clip_grad: float = 3.0
    freeze_last_layer: float = 0.01

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        _require(self.steps > 0 and self.batch > 0, "optim.steps or optim.batch is not positive", "give 1 or more")
        for name in ("warmup", "freeze_last_layer"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"optim.{name} is {value}", "give a fraction of the run from 0 to 1")
        for name in ("base_lr", "min_lr", "weight_decay", "weight_decay_end", "clip_grad"):
            _require(getattr(self, name) >= 0, f"optim.{name} is {getattr(self, name)}", "give 0 or more")


@dataclass(frozen=True)
class RunConfig:
    """How a run is carried out; a resumed run may change all but the seed and what the precision comes to.

    Attributes:
        seed: start of every random draw.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "float32", "bfloat16", or "auto" (bfloat16 on CUDA with the instructions, else float32).
        workers: processes that cut crops beside the training; 0 cuts them in the training process.
        memory_gb: images are kept in memory as float16 up to this size in each process, others are read when drawn.
        log_every: steps between rows of log.csv.
        checkpoint_every_s: seconds between checkpoints.
    """

    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    workers: int = 0
    memory_gb: float = 4.0
    log_every: int = 10
    checkpoint_every_s: float = 300.0

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        known = ("auto", "cpu", "cuda", "mps")
        _require(self.device in known, f"run.device is {self.device!r}", f"use one of {', '.join(known)}")
        check_precision(self.precision)
        _require(self.workers >= 0, f"run.workers is {self.workers}", "give 0 or more")
        _require(self.log_every > 0, f"run.log_every is {self.log_every}", "give 1 or more")
        _require(0 <= self.seed < 2**63, f"run.seed is {self.seed}", "give a whole number of 0 or more")


@dataclass(frozen=True)
class MonitorConfig:
    """What a running pre-training shows; nothing here changes what is learnt, so a resumed run may change it all.

    Attributes:
        every: steps between two looks at the teacher; 0 for ten looks a run.
        probe: labelled data folder for the k-NN score of the tokens; empty for none.
        probe_tokens: most tokens of either split of that folder.
        pictures: number of scenes drawn with attention and principal components; 0 for none.
        tensorboard: write everything to RUN/tensorboard too.
    """

    every: int = 0
    probe: str = ""
    probe_tokens: int = 4000
    pictures: int = 4
    tensorboard: bool = True

    def __post_init__(self) -> None:
        """Refuse values outside their meaning."""
        _require(self.every >= 0, f"monitor.every is {self.every}", "give steps, or 0 for ten looks a run")
        # More would hold up the other processes of a distributed run for longer than they wait.
        ok = 100 <= self.probe_tokens <= 100_000
        _require(ok, f"monitor.probe_tokens is {self.probe_tokens}", "give a number from 100 to 100000")
        _require(0 <= self.pictures <= 32, f"monitor.pictures is {self.pictures}", "give a number from 0 to 32")


def _sentinel1_bands() -> tuple[Band, ...]:
    # Global statistics of SSL4EO-S12 (Wang et al. 2023); clip as wide as usual practice goes.
    return (Band("VV", "db", (-30.0, 5.0), -12.6, 5.3), Band("VH", "db", (-35.0, 0.0), -20.3, 5.9))


@dataclass(frozen=True)
class ModelConfig:
    """The backbone and what its pixels mean.

    Attributes:
        arch: timm name and integers, as in the model card.
        patch: side of a token in pixels.
        tile: side of the image whose positional embeddings are stored; other sizes are interpolated.
        bands: input bands with clip, mean and deviation in dB.
    """

    arch: Arch = Arch("vit_small_patch16_224", 384, 12, 6)
    patch: int = 16
    tile: int = 224
    bands: tuple[Band, ...] = field(default_factory=_sentinel1_bands)

    def __post_init__(self) -> None:
        """Refuse sizes that don't divide; ModelError where the architecture is unknown."""
        Arch.from_dict(self.arch.to_dict())
        fits = self.patch > 0 and self.tile > 0 and self.tile % self.patch == 0
        _require(fits, f"model.tile {self.tile} is not a multiple of model.patch {self.patch}", "change either")
        _require(len(self.bands) > 0, "model.bands is empty", "name one band or more")


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides a pre-training run but its data.

    Attributes:
        split: only images of this split, in folders that have a splits.csv; empty for all. With "train" the regions
            that a later test is made on stay unseen, unlabelled images of theirs too.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    dino: DinoConfig = field(default_factory=DinoConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    run: RunConfig = field(default_factory=RunConfig)
    monitor: MonitorConfig = field(default_factory=MonitorConfig)
    split: str = ""

    def __post_init__(self) -> None:
        """Refuse crops that the patch does not divide."""
        for name in ("global_size", "local_size"):
            size = getattr(self.crops, name)
            ok = size % self.model.patch == 0
            _require(ok, f"crops.{name} {size} is not a multiple of model.patch {self.model.patch}", "change either")
        lonely = self.dino.koleo_weight > 0 and self.optim.batch < 2
        _require(not lonely, "dino.koleo_weight needs neighbours, and optim.batch is 1", "set a batch of 2 or more")
