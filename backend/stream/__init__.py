"""Stream tiles: plan, read, blend and decide in bounded memory."""
