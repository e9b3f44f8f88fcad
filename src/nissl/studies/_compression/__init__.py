"""Writing a network's weights small: shared values, Huffman's code, one file."""
