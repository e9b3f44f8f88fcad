"""Whole recipes on the public pieces."""
