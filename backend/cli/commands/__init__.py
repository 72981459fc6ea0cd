"""Hold a file for each command: its options, and what runs it."""
