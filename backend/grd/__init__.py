"""Read Sentinel-1 GRD products as downloaded, calibrate them with their own tables, and put them on a map grid."""
