"""The simulated KRX and broker."""
