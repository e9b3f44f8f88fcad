"""What several data sets need: splitting, finding and fetching files, reading pictures."""
