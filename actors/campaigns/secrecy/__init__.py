"""Secrets planted in everything that is written down, and looked for in what was written."""
