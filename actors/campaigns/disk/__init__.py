"""A disk that is full, locked or broken under a running order path."""
