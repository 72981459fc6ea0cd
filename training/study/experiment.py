"""Hold the chips, networks and settings that every part of a study uses."""

from __future__ import annotations

from typing import NamedTuple

from training.study.material import Material
from training.study.networks import Networks
from training.study.settings import StudyConfig


class Experiment(NamedTuple):
    """Hold chips, networks and settings of a study."""

    material: Material
    networks: Networks
    config: StudyConfig
