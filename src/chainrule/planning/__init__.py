"""What lives when: schedules, lifetimes and places in memory. Numbers only, nothing runs."""

from chainrule.planning.arena import Arena, place
from chainrule.planning.liveness import Lifetime, lifetimes

__all__ = ["Arena", "Lifetime", "lifetimes", "place"]
