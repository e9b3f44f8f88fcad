"""What the methods that cover parts of the input have in common."""
