"""Make the maps that a user asks for: land cover, attention, embeddings, similarity."""
