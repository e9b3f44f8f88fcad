"""How a Python process begins and ends under `nissl record`, and how it is known which libraries it imports."""
