"""What portraits are drawn on: one file a way to describe a picture by numbers that are changed step by step."""
