"""Files with random changes cause no crash, hang or fault; 10,000 files with SARDINO_THOROUGH=1."""

from __future__ import annotations

import os

import pytest

from tests.backend.reliability.mutants import hunt, prepare

# These once ended in neither a map nor a clear refusal.
LESSONS = (21, 28, 44, 153, 1564, 1804, 3152, 3729, 5056, 5748)
COUNT = 10_000 if os.environ.get("SARDINO_THOROUGH") else 200


@pytest.mark.slow
def test_mutants_are_mapped_or_refused(warm, tiny_model, tmp_path):
    prepare(tmp_path, tiny_model)
    counts, faults = hunt(warm, tmp_path, 0, COUNT)
    print(dict(counts))
    assert not faults, "\n".join(faults)
    for number in LESSONS:
        assert not hunt(warm, tmp_path, number, 1)[1], number
    assert sum(counts.values()) == COUNT and min(counts["mapped"], counts["refused"]) > COUNT // 10
