"""Axes, ticks and panels for views that plot values over epochs."""
