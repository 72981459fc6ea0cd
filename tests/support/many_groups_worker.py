"""Form and leave a group of two processes many times, as a run does at its end; hangs if leaving can hang.

    python many_groups_worker.py RANK ROUNDS FOLDER

Run by test_distributed.py.
"""

from __future__ import annotations

import sys

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from training.run.distributed import all_reduce_max, all_reduce_mean, gather_rows, kept, leave_processes


def main(rank: int, rounds: int, folder: str) -> None:
    for number in range(rounds):
        dist.init_process_group("gloo", init_method=f"file://{folder}/{number}", rank=rank, world_size=2)
        network = kept(DistributedDataParallel(nn.Linear(2, 2)))
        network(torch.ones(3, 2)).sum().backward()
        rows, first = gather_rows(torch.full((2, 1), float(rank)))
        assert first == 2 * rank and rows.flatten().tolist() == [0, 0, 1, 1]
        assert float(all_reduce_max(torch.tensor(float(rank)))) == 1
        assert float(all_reduce_mean(torch.tensor(float(rank)))) == 0.5
        dist.destroy_process_group()
        del network  # without `kept` the last that knows the group: freeing it would wait for gloo's threads


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    leave_processes(0)
