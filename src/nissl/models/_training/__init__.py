"""Training the reference networks."""
