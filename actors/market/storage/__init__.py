"""The market store: ticks, books and bars as rows and blocks, and how they are read."""
