"""Methods of attribution, one file each."""
