"""Update rules: from a gradient and a state to new parameters and a new state.

    optimiser.py   what every update rule offers: init and update
    sgd.py         gradient descent with momentum and weight decay
    adam.py        Adam

Nothing is changed in place: `update` returns new trees and leaves the old ones as they were.
"""

from chainrule.optim.adam import Adam, adam
from chainrule.optim.optimiser import Optimiser
from chainrule.optim.sgd import Sgd, sgd

__all__ = ["Adam", "Optimiser", "Sgd", "adam", "sgd"]
