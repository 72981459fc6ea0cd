"""The maps a user asks for: land cover, attention, embeddings, similarity."""
