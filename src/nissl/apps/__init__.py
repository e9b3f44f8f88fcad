"""The doors: each uses public names only."""
