"""The questions that a page asks of the live network, one kind a file."""
