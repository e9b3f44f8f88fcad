"""What the methods of maps have in common."""
