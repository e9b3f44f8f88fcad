"""What pruning and compression share: which go, what is left, learning again."""
