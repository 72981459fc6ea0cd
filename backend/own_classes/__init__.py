"""Learn own classes: samples and their pixels, features, the forest, and its accuracy on held-out samples."""
