"""Start the backend and exchange messages with it."""
