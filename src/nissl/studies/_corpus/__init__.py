"""The parts of the corpus pipeline: what is read, where results lie, and which of them are out of date."""
