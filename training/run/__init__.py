"""A training run: its configuration, folder, checkpoints, log and processes."""
