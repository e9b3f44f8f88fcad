"""What stays the same in a trace and what changes, when: numbers in, numbers out."""
