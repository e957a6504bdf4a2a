"""Queries and condition searches: paced, paged to the end, their cells read as numbers."""
