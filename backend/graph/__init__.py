"""Build, read, check and change the network as an ONNX graph; numpy only, neither PyTorch nor the package onnx."""
