"""What a recorded profile says of a unit, one file a measure; of any size of trace, by numpy or Dask."""
