"""Places where a trace can live, one file each."""
