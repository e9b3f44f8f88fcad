"""What can be done to units, one file a verb."""
