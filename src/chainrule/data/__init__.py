"""Data sets in the package, splits and minibatches.

digits.py      1,797 handwritten digits (digits.npz; its source and licence: digits-licence.txt)
split.py       a training and a test part, class by class
minibatches.py shuffled batches of aligned arrays
"""

from chainrule.data.digits import digits
from chainrule.data.minibatches import minibatches
from chainrule.data.split import split

__all__ = ["digits", "minibatches", "split"]
