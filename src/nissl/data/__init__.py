"""Reference data, and the user's own from files: one file a data set."""
