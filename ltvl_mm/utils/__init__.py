"""Files and randomness: knows nothing of the domain."""
