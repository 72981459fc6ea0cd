"""Read polarisation, quantity and date from the name of a band or of its file; pair bands by them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from backend.core.errors import InputError

POLARISATIONS = ("VV", "VH", "HH", "HV")
# A longer name is cut: it is no name.
LONGEST = 400

# Words of backscatter products, which are written without a separator too: "IWGRDVV", "sigmaVV", "VVdB".
_PRODUCT = frozenset(
    "s iw ew sm wv grd grdh grdm grdf slc rtc gtc nrb tc cal ml spk band pol polarisation polarization img image "
    "sig sigma gam gamma nought naught zero amp ampl amplitude int intens intensity db lin linear pow power natural "
    "nat mean avg average median med min max sum norm filt filtered lee backscatter bsc radar sar".split()
)
# Quantities that aren't backscatter, by the words that name them.
_OTHERS = {
    "coherence": "coh coherence cohe corr cc",
    "standard deviation": "std stdev stddev sd dev deviation var variance cv",
    "beta nought": "beta bet",
    "angle": "angle ang lia inc incidence theta ellipsoid",
    "terrain": "elevation elev dem dsm dtm height slope aspect",
    "ratio": "ratio index rvi difference diff change trend",
    "texture": "texture glcm contrast entropy homogeneity correlation",
    "mask": "mask layover shadow ls quality flag label classes",
    "count": "count num nobs looks enl",
    "phase": "phase ifg interferogram real imag",
    "noise": "noise nesz",
}
_KINDS = {word: kind for kind, words in _OTHERS.items() for word in words.split()}
# These count anywhere in a name; the others only next to the polarisation, since names of files hold many words.
_STRONG = frozenset("coh coherence std stdev stddev ifg interferogram lia incidence".split())
_WHEN = frozenset("before after pre post winter spring summer autumn fall asc desc ascending descending".split())
_STACK = frozenset("mst slv ref sec".split())  # of co-registered stacks, whose numbers differ by polarisation
_GLUED = _PRODUCT | _KINDS.keys() | _WHEN | _STACK | {name.lower() for name in POLARISATIONS}
_LONGEST_WORD = max(map(len, _GLUED))

HINT = "Name the bands in the model's order with --bands, for instance --bands 1 2."
# Bands or dates that a message lists.
MOST_LISTED = 8

_CAMEL = re.compile(r"[a-z](VV|VH|HH|HV)([A-Za-z]*)$")
_NUMBERED = re.compile(r"([Hh]\d)(VV|VH|HH|HV)[A-Za-z](?![A-Za-z])", flags=re.IGNORECASE)
_PIECES = re.compile(r"[A-Za-z]+|\d+")
_MONTHS = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_ISO = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_./]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?:[Tt_ ]?\d{6}|[Tt][\d:]+[Zz]?)?(?!\d)"
)
_WORDED = re.compile(r"(?<!\d)(\d{1,2})[-_ ]?([A-Za-z]{3})[-_ ]?((?:19|20)\d\d)(?!\d)")
# Not the pixel size of LC_2018_10m.
_MONTHLY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?(0[1-9]|1[0-2])(?!\d|m(?![A-Za-z]))")


@dataclass(frozen=True)
class BandName:
    """Hold polarisation, quantity and date that a name gives a band.

    Attributes:
        polarisations: Found in it, in capitals; a ratio has two.
        kinds: What it is if not backscatter, such as "coherence".
        day: Dates and words of time in it; empty where there are none.
        group: Common key of the bands of one acquisition: the day, else the rest of the name without words of products.
        rest: All of the name but the polarisation.
        words: Its words and dates without those of products, of kinds, and the polarisation.
    """

    polarisations: frozenset[str]
    kinds: frozenset[str]
    day: str
    group: str
    rest: str
    words: frozenset[str]

    @property
    def tells(self) -> bool:
        """Return whether the name says what the band is, or what it is not."""
        return bool(self.polarisations or self.kinds)

    @property
    def ratio(self) -> bool:
        """Return whether it names several polarisations: a ratio of them, or a file that holds them all."""
        return len(self.polarisations) > 1

    @property
    def backscatter(self) -> str:
        """Return the one polarisation of the band if it is backscatter; else ""."""
        return next(iter(self.polarisations)) if len(self.polarisations) == 1 and not self.kinds else ""


@lru_cache(maxsize=4096)
def parse(name: str) -> BandName:
    """Return polarisation, quantity and date in a name."""
    name = name[:LONGEST]
    spans = polarisation_spans(name)
    found = frozenset(name[a:b].upper() for a, b in spans)
    dates, undated = _take_dates(name)
    undated = _NUMBERED.sub(r"\1 \2 ", undated)
    words = [word for piece in _PIECES.findall(undated) for word in (_split(piece) or _camel(piece))]
    rest = acquisition(name)
    telling = [w for w in words if w not in _PRODUCT and w not in _STACK and w != "0"]
    day = " ".join([*dates, *sorted({word for word in words if word in _WHEN})])
    remaining = [word for word in telling if word.upper() not in POLARISATIONS]
    free = frozenset([*dates, *(word for word in remaining if word not in _KINDS)])
    return BandName(found, _kinds(telling), day, day if dates else " ".join(remaining), rest, free)


def acquisition(name: str) -> str:
    """Return a name without its polarisation; bands of one date share it ("vv_winter", "VH_winter")."""
    for start, end in reversed(polarisation_spans(name)):
        name = name[:start] + name[end:]
    return name.strip(" _-.").lower()


def polarisation_spans(name: str) -> list[tuple[int, int]]:
    """Return where polarisations stand in a name: as words, or glued to words of products; not inside other words."""
    spans = []
    for match in _PIECES.finditer(name):
        piece, start = match.group(), match.start()
        if len(piece) == 3 and piece[:2].upper() in POLARISATIONS and re.search(r"[Hh]\d$", name[:start]):  # "H1VVA"
            spans.append((start, start + 2))
            continue
        words = _split(piece)
        if words is None:
            glued = _CAMEL.search(piece)
            if glued and _split(piece[glued.start(1) :]) is not None:
                spans.append((start + glued.start(1), start + glued.end(1)))
            continue
        for word in words:
            if word.upper() in POLARISATIONS:
                spans.append((start, start + len(word)))
            start += len(word)
    return spans


def date_of(name: str) -> str:
    """Return the first date in a name as YYYYMMDD or YYYYMM; "" if there is none."""
    return next(iter(_take_dates(name)[0]), "")


def _kinds(words: list[str]) -> frozenset[str]:
    """Return the quantities other than backscatter that words name; `words` are those with a meaning, in order."""
    places = [n for n, word in enumerate(words) if word.upper() in POLARISATIONS]
    near = {m for n in places for m in (n - 1, n, n + 1)}
    kinds = {
        _KINDS[word]
        for n, word in enumerate(words)
        if word in _KINDS and (word in _STRONG or not places or n in near or len(words) <= 3)
    }
    if places and len(words) > 1 and words[0] in ("i", "q"):
        kinds.add("phase")
    if len({words[n] for n in places}) > 1:
        kinds.add("ratio")
    return frozenset(kinds)


def _take_dates(name: str) -> tuple[list[str], str]:
    """Return the dates in a name, without repeats, and the name without them."""
    dates = [f"{year}{month}{day}" for year, _, month, day in _ISO.findall(name)]
    name = _ISO.sub(" ", name)
    for day, month, year in _WORDED.findall(name):
        if month.lower() in _MONTHS:
            dates.append(f"{year}{_MONTHS[month.lower()]:02}{int(day):02}")
            name = re.sub(rf"{day}[-_ ]?{month}[-_ ]?{year}", " ", name)
    if not dates:
        dates = [year + month for year, month in _MONTHLY.findall(name)]
        name = _MONTHLY.sub(" ", name)
    return list(dict.fromkeys(dates)), name


def _camel(piece: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]*[a-z]+|[A-Z]+|\d+", piece)]


@lru_cache(maxsize=4096)
def _split(piece: str) -> tuple[str, ...] | None:
    """Return the known words that a piece consists of, longest first; None if it doesn't."""
    text = piece.lower()
    best: list[tuple[str, ...] | None] = [None] * len(text) + [()]
    for start in range(len(text) - 1, -1, -1):
        for end in range(min(len(text), start + _LONGEST_WORD), start, -1):
            tail, word = best[end], text[start:end]
            if tail is not None and word in _GLUED and (word != "s" or end < len(text)):
                best[start] = (word, *tail)
                break
    return best[0]


def pair_bands(texts: Sequence[str], found: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """Choose one of the bands found for each name, so that polarisations of one date come together.

    Args:
        texts: Names of all bands.
        found: Numbers of bands by the model's name, as of `find_bands`.

    Returns:
        A band number by name, without names that have none.

    Raises:
        InputError: Names don't say which bands belong together.
    """
    acquisitions: dict[object, dict[str, Sequence[int]]] = {}
    for name, bands in found.items():
        told = parse(name)
        # Bands that aren't backscatter are groups of their own.
        key = name if told.kinds or not told.polarisations else told.words
        if bands:
            acquisitions.setdefault(key, {})[name] = bands
    return {name: band for members in acquisitions.values() for name, band in _pair(texts, members).items()}


def _pair(texts: Sequence[str], members: Mapping[str, Sequence[int]]) -> dict[str, int]:
    told = {band: parse(texts[band - 1]) for bands in members.values() for band in bands}
    first = {name: bands[0] for name, bands in members.items()}
    groups = list(dict.fromkeys(told[band].group for band in sorted(told)))
    whole = [g for g in groups if all(any(told[b].group == g for b in bands) for bands in members.values())]
    if not whole:
        days = {told[band].day for band in first.values()} - {""}
        if len(days) > 1 or any(len(bands) > 1 for bands in members.values()):
            raise _several(told, groups, HINT)
        return first
    inside = {name: [b for b in bands if told[b].group == whole[0]] for name, bands in members.items()}
    if len(whole) > 1 and len({told[band].group for band in first.values()}) > 1:
        example = " ".join(str(bands[0]) for bands in inside.values())
        raise _several(told, groups, f"Choose the bands of one date with --bands, for instance --bands {example}.")
    # If there are intensity and amplitude, for instance, both bands are of the same one.
    rests = [told[band].rest for band in next(iter(inside.values()))]
    same = (r for r in rests if all(any(told[b].rest == r for b in bands) for bands in inside.values()))
    rest = next(same, None)
    return {name: next((b for b in bands if told[b].rest == rest), bands[0]) for name, bands in inside.items()}


def _several(told: Mapping[int, BandName], groups: Sequence[str], hint: str) -> InputError:
    parts = []
    for group in groups[:MOST_LISTED]:
        bands = ", ".join(f"band {b} {told[b].backscatter}" for b in sorted(told) if told[b].group == group)
        parts.append(f"{group or 'without a date'} ({bands})")
    more = f" and {len(groups) - len(parts)} more" if len(groups) > len(parts) else ""
    return InputError(f"The bands are of several dates: {', '.join(parts)}{more}.", hint)
