"""What an evaluation counts, and its pictures."""
