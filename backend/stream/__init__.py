"""The tile stream: plan, read, blend and decide in bounded memory."""
