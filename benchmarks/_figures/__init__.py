"""The page of all figures: what was measured, beside what was to be reached."""
