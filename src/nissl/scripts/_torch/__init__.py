"""What the torch plug-in is made of."""
