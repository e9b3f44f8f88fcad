"""Frameworks, one file each."""
