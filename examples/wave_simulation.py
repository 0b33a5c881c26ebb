"""Find the speed of sound in three layers from what one microphone hears.

A wave is simulated as one would in plain NumPy: arrays are made with zeros and written in place,
step by step. `import chainrule.numpy as np` is the only change that its gradient takes.
"""

from scipy.optimize import minimize

import chainrule as cr
import chainrule.numpy as np

POINTS, STEPS, SOURCE, MICROPHONE = 90, 260, 8, 14
LAYERS = np.repeat(np.arange(3), POINTS // 3)
TRUE_SPEEDS = np.array([0.50, 0.80, 0.60])  # cells per step; above 1 the scheme is unstable


def heard(speeds):
    """∂²u/∂t² = c² ∂²u/∂x², from rest, with fixed ends: u at the microphone after every step."""
    c2 = speeds[LAYERS][1:-1] ** 2
    before, now = np.zeros(POINTS), np.zeros(POINTS)
    record = np.zeros(STEPS)
    for step in range(STEPS):
        after = np.zeros(POINTS)
        after[1:-1] = 2 * now[1:-1] - before[1:-1] + c2 * (now[2:] - 2 * now[1:-1] + now[:-2])
        after[SOURCE] += np.exp(-0.5 * ((step - 20) / 5) ** 2)
        record[step] = after[MICROPHONE]
        before, now = now, after
    return record


def misfit(speeds, measured):
    return np.sum((heard(speeds) - measured) ** 2)


def main():
    measured = heard(TRUE_SPEEDS)
    start = np.array([0.52, 0.76, 0.64])
    slope, options = cr.value_and_grad(misfit), {"ftol": 1e-15}
    found = minimize(slope, start, (measured,), jac=True, method="L-BFGS-B", options=options)
    print("start", start, f"misfit {misfit(start, measured):.3g}")
    print("found", found.x.round(5), f"misfit {found.fun:.2g} after {found.nfev} gradients")
    print("true ", TRUE_SPEEDS)
    return found.x


if __name__ == "__main__":
    main()
