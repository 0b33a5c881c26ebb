"""Matrix decompositions, solves and norms."""
