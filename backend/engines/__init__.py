"""Run the network: PyTorch or OpenVINO, in a precision, on a device."""
