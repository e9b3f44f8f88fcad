"""What the pictures of portraits have in common."""
