"""Start the backend and talk to it."""
