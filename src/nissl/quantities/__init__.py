"""What is recorded, one file each."""
