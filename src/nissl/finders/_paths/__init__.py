"""Ways from a baseline to what is."""
