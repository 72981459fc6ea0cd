"""Classes of a user's own: samples and their pixels, features, the small networks on them, and how well they do."""
