"""Parse the command line, and run one command or a warm worker."""
