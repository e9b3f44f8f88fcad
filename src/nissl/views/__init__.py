"""What each picture shows: a trace in, plain marks out; one view a file."""
