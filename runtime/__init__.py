"""How it runs: nothing of trading in here."""
