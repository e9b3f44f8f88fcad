"""A graph laid out in layers, by Sugiyama's steps: ranks, few crossings, places; blocks within blocks as boxes of their own."""
