"""How NumPy code becomes a graph."""
