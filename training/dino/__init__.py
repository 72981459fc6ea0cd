"""Pre-train by self-distillation: student, teacher, losses, and the training step."""
