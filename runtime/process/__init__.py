"""What the operating system has to do with: locks, signals, children, the terminal."""
