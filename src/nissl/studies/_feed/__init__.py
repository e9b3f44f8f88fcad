"""What the page reads of a trace, made from what views know of it."""
