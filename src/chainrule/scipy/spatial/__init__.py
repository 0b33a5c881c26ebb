"""`scipy.spatial` with the derivatives of `scipy.spatial.distance`."""

from chainrule.scipy.forwarding import forwarding
from chainrule.scipy.spatial import distance

__all__ = ["distance"]

__getattr__, __dir__ = forwarding("scipy.spatial", __all__)
