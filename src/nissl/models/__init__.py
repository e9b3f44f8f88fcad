"""Reference networks that the seeds and the tests name: one file a network."""
