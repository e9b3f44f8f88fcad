"""Parts of pictures of maps."""
