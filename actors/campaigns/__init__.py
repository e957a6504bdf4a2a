"""Campaigns against the whole system: what goes wrong in them is drawn from seeds, what must hold is checked."""
