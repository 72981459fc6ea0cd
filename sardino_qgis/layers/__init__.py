"""Give QGIS layers to the backend; style and describe its results."""
