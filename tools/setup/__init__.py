"""Make the development environment: `make setup`."""
