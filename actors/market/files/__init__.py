"""Files of others into the market store, and what is stored into files for others."""
