"""Self-distillation: student, teacher, losses, and a step of training."""
