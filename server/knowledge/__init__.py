"""What agents may look up: documents are read, cut into passages, embedded and searched."""
