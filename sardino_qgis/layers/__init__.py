"""QGIS layers: sources given to the backend, styles and metadata of results."""
