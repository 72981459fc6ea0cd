"""Define errors, cancel, events, claims and atomic files; imports the standard library only (arrays: numpy)."""
