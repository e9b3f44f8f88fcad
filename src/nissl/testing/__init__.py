"""Conformance suites: subclass the one of your kind of plug-in, and pytest holds yours to the contract."""
