"""Hold what every part of a study works with: chips, networks and settings."""

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
