"""Graph to graph, one idea per file."""

from chainrule.passes import reverse, transpose

__all__ = ["reverse", "transpose"]
