"""Real-time data: registered in two tiers, kept raw in one line, parsed by Kiwoom's tables."""
