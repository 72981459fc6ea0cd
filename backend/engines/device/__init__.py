"""What a graphics card does beside the network: it converts, fills and cuts input, adds answers up, chooses classes."""
