"""Tools of the house: set-up, packaging, the demo. Nothing here is shipped to users."""
