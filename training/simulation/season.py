"""Draw the conditions of the dates of a year at one place: crops by their calendars, rain, frost, wind, floods.

Temperature is a cosine over the year, with weather; snow melts where it is near 0 °C after frost. Rain wets the soil,
which dries within days. Kinds of crops grow and are harvested at times of their own, so that fields differ from date to
date where grass doesn't: winter crops are green in spring, summer crops in late summer, and bare soil lies between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from training.simulation.climate import Climate

YEAR = 2021
# Day of the year on which kinds of crops emerge, stand tallest, and are harvested: winter cereals, maize, root crops,
# spring cereals, fodder. Kinds of a scene are numbered; calendars are drawn among these.
CALENDARS = ((280, 145, 200), (140, 225, 275), (120, 200, 290), (95, 165, 215), (70, 150, 180))
DAYS_TO_DRY = 6.0
FLOOD = 0.08  # chance of a flood on a date
MOST_KINDS = 5


@dataclass(frozen=True)
class Occasion:
    """Hold one date.

    Attributes:
        day: Date.
        climate: Climate of the scene on that date.
        wind: Shift of VV of open water in dB.
        flood: Reach of a flood from water in pixels; 0 for none.
        seed: Seed of what no other date shares: speckle, swath edges, the outline of a flood.
    """

    day: date
    climate: Climate
    wind: float
    flood: float
    seed: int


def days_of_year(rng: np.random.Generator, dates: int) -> list[date]:
    """Return dates spread over a year, each at random within its share of it."""
    step = 365 / dates
    return [date(YEAR, 1, 1) + timedelta(days=int((n + rng.random()) * step)) for n in range(dates)]


def growth_of(day: int, calendar: tuple[int, int, int]) -> float:
    """Return the state of a crop on a day of the year, from -0.5 (bare) to 0.5 (at its peak)."""
    emergence, peak, harvest = calendar
    since = (day - emergence) % 365
    rise, whole = (peak - emergence) % 365, (harvest - emergence) % 365
    if since >= whole:
        return -0.5
    if since <= rise:
        return -0.5 + 0.5 * (1 - math.cos(math.pi * since / rise))
    return 0.5 - 0.35 * (since - rise) / (whole - rise)


def draw_year(rng: np.random.Generator, climate: Climate, dates: int) -> list[Occasion]:
    """Draw the dates of a year.

    Args:
        rng: Generator.
        climate: Climate of the place: gain, product, dryness and geometry, which stay.
        dates: Number of dates.
    """
    mean, swing = (rng.uniform(14, 24), rng.uniform(3, 9)) if climate.dry else (rng.uniform(2, 16), rng.uniform(5, 14))
    coldest = rng.uniform(5, 30)
    kinds = [CALENDARS[int(rng.integers(len(CALENDARS)))] for _ in range(MOST_KINDS)]
    late, wet, before = rng.normal(0, 8), 0.0, 5.0
    found: list[Occasion] = []
    last = date(YEAR, 1, 1)
    for day in days_of_year(rng, dates):
        number = day.timetuple().tm_yday
        warmth = mean - swing * math.cos(2 * math.pi * (number - coldest) / 365) + rng.normal(0, 2.5)
        wet = wet * math.exp(-(day - last).days / DAYS_TO_DRY) + max(0.0, rng.normal(-0.6, 1.4))
        crops = tuple(growth_of(int(number - late), calendar) for calendar in kinds)
        found.append(
            Occasion(
                day,
                replace(
                    climate,
                    soil=0.6 * climate.soil + min(2.5, wet) - 0.6,
                    frozen=float(warmth < -3),
                    thaw=float(rng.uniform(0.3, 1.2)) if before < -1 and -1 <= warmth < 4 else 0.0,
                    growth=0.0,
                    crops=crops,
                ),
                wind=float(np.clip(rng.normal(0, 3.5), -5, 8)),
                flood=float(rng.uniform(4, 25)) if rng.random() < FLOOD else 0.0,
                seed=int(rng.integers(2**31)),
            )
        )
        last, before = day, warmth
    return found
