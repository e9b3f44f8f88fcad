"""Masks over all units of a network, and how they are learned."""
