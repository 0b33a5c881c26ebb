"""A training part and a test part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import SettingError

if TYPE_CHECKING:
    from numpy.typing import NDArray


Examples = tuple["NDArray[Any]", "NDArray[Any]"]


def split(
    features: NDArray[Any],
    labels: NDArray[Any],
    *,
    test_fraction: float = 0.2,
    seed: int = 0,
) -> tuple[Examples, Examples]:
    """Cut examples into (training features, labels) and (test features, labels), class by class.

    Every class gives the rounded test_fraction of its examples to the test part, so both parts mix
    the classes alike; each part is in random order. The same seed gives the same split. Raises
    SettingError when the numbers of features and labels differ, for a fraction outside (0, 1), and
    when a part would be empty.

    >>> features, labels = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    >>> (x, y), (x_test, y_test) = split(features, labels, test_fraction=0.3, seed=1)
    >>> len(x), len(x_test), np.bincount(y_test)
    (14, 6, array([3, 3]))
    """
    if len(features) != len(labels):
        raise SettingError(
            f"There are {len(features)} rows of features and {len(labels)} labels. "
            "Give one label for each row."
        )
    if not 0 < test_fraction < 1:
        raise SettingError(
            f"The test fraction is {test_fraction}. It is the share of the examples that is kept "
            "for the test: give a number between 0 and 1."
        )
    rng = np.random.default_rng(seed)
    train, test = [], []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        count = round(test_fraction * len(members))
        test.append(members[:count])
        train.append(members[count:])
    parts = [rng.permutation(np.concatenate(part)) for part in (train, test)]
    if min(len(part) for part in parts) == 0:
        raise SettingError(
            f"A test fraction of {test_fraction} leaves {len(parts[0])} of {len(labels)} examples "
            f"for training and {len(parts[1])} for the test. Give one that leaves some for both."
        )
    first, second = ((features[part], labels[part]) for part in parts)
    return first, second
