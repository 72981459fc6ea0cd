"""The command line and the long-running worker."""
