"""Rules of risk: pure functions, grouped by kind."""
