"""Classes of a user's own: samples and their pixels, features, the forest on them, and how well they do."""
