"""The whole system in simulated time, everything that happens drawn from one seed."""
