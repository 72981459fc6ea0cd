"""What runs the network: PyTorch or OpenVINO, in which precision, on which device."""
