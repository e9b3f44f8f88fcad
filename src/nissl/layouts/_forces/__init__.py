"""Layouts by forces between all pairs of units."""
