"""Show dialogs, widgets and the map tool."""
