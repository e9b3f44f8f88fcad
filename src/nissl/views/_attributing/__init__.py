"""Attributions as pixels."""
