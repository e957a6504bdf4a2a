"""A journal that somebody edits, cuts, swaps and damages: what of it is found."""
