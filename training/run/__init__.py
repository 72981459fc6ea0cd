"""Run a training: configuration, folder, checkpoints, log and processes."""
