"""The first calls of OpenVINO by several threads at once, in a process of their own."""

import subprocess
import sys

# Threads change at nearly every instruction: without what _core does first, 28 of 30 such processes never ended.
PROGRAM = """
import sys, threading
from backend.engines import openvino
sys.setswitchinterval(1e-6)
openvino._core()
together, kind = threading.Barrier(8), openvino.openvino.Type.f32
def first():
    together.wait()
    kind.to_dtype()
threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_threads_that_start_together_do_not_block_each_other(repo_root):
    for _ in range(3):
        subprocess.run([sys.executable, "-c", PROGRAM], cwd=repo_root, check=True, timeout=60)
