"""Define the smallest pre-training recipe, up to its [dino] section, for tests to complete."""

TINY = """
[model]
arch = { timm = "vit_tiny_patch16_224", embed_dim = 16, depth = 2, heads = 2 }
patch = 8
tile = 16
[crops]
window = 32
global_size = 16
local_size = 8
local_count = 2
[dino]
out_dim = 16
hidden_dim = 16
bottleneck_dim = 8
"""
