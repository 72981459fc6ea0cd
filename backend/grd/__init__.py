"""Sentinel-1 GRD products as downloaded: found, calibrated with their own tables, put on a map grid."""
