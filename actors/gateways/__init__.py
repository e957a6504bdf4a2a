"""Ways to the market: feeds and brokers behind one port."""
