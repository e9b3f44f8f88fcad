"""What t-SNE is made of here."""
