"""Orders out, and what their answers and records say: whose each is, and each fact once."""
