"""What outlives the process: SQLite, the journal and its chain, a place of last resort."""
