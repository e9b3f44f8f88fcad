"""The format of a trace and how it is written, in a folder or in an object store; docs/trace-format.md says what."""
