"""Charts as they are collected: paged, compared, proved by a certificate."""
