"""What is owned, folded from order events."""
