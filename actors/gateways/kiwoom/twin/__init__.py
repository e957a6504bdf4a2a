"""The twin: the surface of Kiwoom's control over the simulated exchange, a part of it a file."""
