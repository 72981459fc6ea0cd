"""Count, score and draw an evaluation."""
