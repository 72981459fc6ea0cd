"""What every other room of the plugin uses."""
