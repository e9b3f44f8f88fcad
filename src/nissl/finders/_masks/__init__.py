"""What a mask over units is learned by."""
