"""Prepare input on a graphics card (convert, fill, cut), add up the network's answers there, and choose classes."""
