"""Model cards: what a model folder says of itself, and where model folders lie."""
