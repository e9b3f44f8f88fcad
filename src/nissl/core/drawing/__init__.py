"""How pictures are drawn that a network shall like."""
