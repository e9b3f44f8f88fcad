"""What units do, without asking what comes of it."""
