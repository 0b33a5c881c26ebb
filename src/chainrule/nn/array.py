"""The type of what layers, losses and update rules compute with."""

from typing import Any

# A NumPy array or scalar, or, while a derivative is taken, chainrule's traced array in its place.
# Users' own code is annotated for NumPy; no type that both of them satisfy exists.
Array = Any
