"""Ways to place units in the plane; one file each."""
