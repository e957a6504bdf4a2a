"""Kiwoom Securities: the OCX, its twin, and their tables."""
