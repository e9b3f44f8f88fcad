"""Groups of rows of the benchmark of attributions."""
