"""One command a file: what it takes in a terminal, and the call of what Python can call too."""
