"""What the trader works with: its outbox, and the match of ledger and broker."""
