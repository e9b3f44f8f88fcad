"""How the units behind an output are found, one file a method."""
