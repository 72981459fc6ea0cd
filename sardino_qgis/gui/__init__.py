"""Dialogs, widgets and the map tool."""
