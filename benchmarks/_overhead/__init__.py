"""What overhead.py is made of: the models, the ways to watch them, and how two steps are timed against each other."""
