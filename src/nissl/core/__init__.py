"""The nouns and their contracts: numpy only, no implementation, no framework."""
