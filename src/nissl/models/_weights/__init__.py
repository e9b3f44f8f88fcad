"""Loading weights into a reference network."""
