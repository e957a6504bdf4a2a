"""Random orders against the real limits, and a second opinion that shares no code with them."""
