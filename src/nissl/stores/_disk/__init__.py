"""The parts of the trace on disk; docs/trace-format.md says what they write."""
