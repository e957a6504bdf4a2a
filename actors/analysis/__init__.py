"""Factors and figures computed from prices."""
