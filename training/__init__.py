"""Train SAR models: simulation, self-supervised pre-training, fine-tuning and evaluation."""
