"""Read and write model folders: card, weights and network, by hash; numpy and safetensors, not PyTorch."""
