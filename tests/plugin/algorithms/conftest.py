"""Replace the backend by a program that records its call."""

from __future__ import annotations

import json

import pytest

COPYIST = """
import json, os, shutil, sys
arguments = sys.argv[1:]
with open({calls!r}, "w") as file:
    json.dump({{"arguments": arguments, "cwd": os.getcwd(), "environment": dict(os.environ)}}, file)
options = [o for o in ("--confidence", "--probabilities", "--agreement", "--masks", "--pca") if o in arguments]
for place in [4, *(arguments.index(o) + 1 for o in options)]:
    shutil.copy(arguments[3], arguments[place])
classes = [{{"value": 10, "name": "Tree cover", "color": "#006400", "pixels": 30}},
           {{"value": 80, "name": "Permanent water bodies", "color": "#0064c8", "pixels": 10}}]
print(json.dumps({{"event": "result", "outputs": {{"output": arguments[4]}}, "device": "cpu", "seconds": 1.0,
                   "model": "m", "classes": classes}}), flush=True)
"""


@pytest.fixture
def calls(script, monkeypatch, tmp_path):
    """Set a worker that copies its input; return a function that reads its recorded call."""
    record = tmp_path / "calls.json"
    monkeypatch.setenv("SARDINO_PYTHON", str(script(COPYIST.format(calls=str(record)), "copyist")))
    return lambda: json.loads(record.read_text())
