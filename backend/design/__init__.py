"""Choose points on a map: points that validate a class map, and points to label for a user's own classes."""
