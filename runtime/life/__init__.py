"""A run from its start to its end: seats, failures, reload, drain."""
