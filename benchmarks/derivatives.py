"""Hessians, Jacobians and the gradients of the examples, beside JAX and autograd in the same run.

    python benchmarks/derivatives.py [--rounds 9] [--json FILE] [--markdown FILE] [--only JOB]

* the sparse Hessian of the Rosenbrock function in 1,000 to 100,000 variables: its time should grow
  as they do, so time ÷ n is printed;
* the Jacobian of a network with 50 inputs and 50 outputs, in both modes;
* the gradients of the twelve examples.

All results of a job are compared before anything is timed. Every library is given ndarrays and
gives ndarrays back; JAX is compiled, and its first call, which compiles, stands beside. Each round
times every contender once, in turn; a time is the median of its rounds, with the least beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import example_gradients
import network_jacobian
import numpy as np
import sparse_hessian
from timing import Run, installed, machine, timed

NOT_COMPARED = ("function alone", "chainrule, the gradient alone")
RELATIVE = 1e-8  # of the largest entry: roundings of some hundred operations, and of solvers


class Job(NamedTuple):
    """One comparison: who takes part and who cannot, and the arrays of a result."""

    contenders: Callable[[], tuple[dict[str, Run], dict[str, str]]]
    arrays: Callable[[Any], list[Any]]
    size: int = 0


def jobs() -> dict[str, Job]:
    found = {
        f"sparse Hessian n={n}": Job(
            lambda n=n: sparse_hessian.contenders(n), lambda h: [sparse_hessian.as_array(h)], n
        )
        for n in sparse_hessian.SIZES
    }
    found["Jacobian 50 → 50"] = Job(network_jacobian.contenders, example_gradients.leaves)
    for name in example_gradients.POINTS:
        found[name] = Job(
            lambda name=name: example_gradients.contenders(name), example_gradients.leaves
        )
    return found


def compared(runs: dict[str, Run], arrays: Callable[[Any], list[Any]]) -> dict[str, float]:
    """Run each contender once, check that the results are one, and give the seconds it took."""
    seconds, expected = {}, None
    for name, run in runs.items():
        start = time.perf_counter()
        found = run()
        seconds[name] = time.perf_counter() - start
        if name in NOT_COMPARED:
            continue
        given = found if isinstance(found, list) else arrays(found)
        expected = given if expected is None else expected
        for mine, theirs in zip(given, expected, strict=True):
            scale = np.max(np.abs(theirs), initial=0.0)
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=RELATIVE * scale, err_msg=name)
    return seconds


def measure(rounds: int, only: str) -> dict[str, Any]:
    jax = installed("jax")
    if jax is not None:
        jax.config.update("jax_enable_x64", True)
    results = {}
    for name, job in jobs().items():
        if only not in name:
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        runs, refused = job.contenders()
        first = compared(runs, job.arrays)
        results[name] = {
            "size": job.size,
            "passes": sparse_hessian.passes(job.size) if job.size else None,
            "first": first,
            "seconds": timed(runs, rounds),
            "left out": refused,
        }
    return {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "jobs": results,
    }


def tables(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [", ".join(f"{key} {value}" for key, value in results["machine"].items()), ""]
    lines += ["| job | who | ms | least | first call | × chainrule |", "|---|---|---|---|---|---|"]
    for name, job in results["jobs"].items():
        ours = next(who for who in job["seconds"] if who.startswith("chainrule"))
        base = statistics.median(job["seconds"][ours])
        for who, seconds in job["seconds"].items():
            middle = statistics.median(seconds)
            shown = [f"{t * 1e3:.3f}" for t in (middle, min(seconds), job["first"][who])]
            lines.append(f"| {name} | {who} | {' | '.join(shown)} | {middle / base:.2f} |")
    sparse = {name: job for name, job in results["jobs"].items() if job["size"]}
    if sparse:
        lines += ["", "| n | passes | ms | µs ÷ n |", "|---|---|---|---|"]
    for job in sparse.values():
        middle, n = statistics.median(job["seconds"]["chainrule"]), job["size"]
        lines.append(f"| {n:,} | {job['passes']} | {middle * 1e3:.2f} | {middle / n * 1e6:.3f} |")
    left = [
        f"* {name}: {who}: {why}"
        for name, job in results["jobs"].items()
        for who, why in job["left out"].items()
    ]
    return "\n".join([*lines, "", "Left out:", "", *left] if left else lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Derivatives beside JAX and autograd.")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of timing (at least 7)")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--markdown", type=Path, help="where to write the tables as well")
    parser.add_argument("--only", default="", help="the jobs whose name contains this")
    options = parser.parse_args()
    results = measure(max(options.rounds, 7), options.only)
    stamp = results["date"].replace(":", "").replace("+0000", "")
    path = options.json or Path("runs") / f"derivatives-{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1))
    text = tables(results)
    if options.markdown:
        options.markdown.write_text(text + "\n")
    print(text)
    print(f"\nWritten to {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
