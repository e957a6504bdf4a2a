"""Whoever is not this process: a person's verbs, the latch, the guard beside it."""
