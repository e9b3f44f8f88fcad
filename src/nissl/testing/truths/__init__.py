"""Networks in which the structure behind every output is known: the judges of whatever claims to find structures."""
