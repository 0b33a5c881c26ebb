"""What an eager gradient costs, beside HIPS autograd and PyTorch in the same run.

    python benchmarks/overhead.py [--rounds 15] [--json FILE] [--check]

Two jobs, each checked for equal results before it is timed:

* the gradient of the Rosenbrock function, n = 2 and 100: many small operations, so what is timed is
  the bookkeeping. Every library is given an ndarray and gives one back; PyTorch is timed from
  tensor to tensor as well.
* value and gradient of a 784-512-512-10 network, float32, batch 128, against the same function on
  plain ndarrays: few large operations.

Each round times every contender once, in turn, for about 20 ms; a time is the median of its rounds
and a ratio the median of the ratios within the rounds. The thread setting is OMP_NUM_THREADS as it
stands, for all of them. Beside each job stands its limit: the NumPy calls of a gradient written by
hand, and for the network its bare matrix products.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import network
import rosenbrock
from timing import installed, machine, ratio, timed


class Target(NamedTuple):
    """That the ratio of two contenders is at most `limit`."""

    job: str
    contender: str
    against: str
    limit: float


TARGETS = (
    Target("rosenbrock n=2", "chainrule", "autograd", 0.5),
    Target("rosenbrock n=2", "chainrule", "torch", 1.0),
    Target("rosenbrock n=100", "chainrule", "autograd", 0.5),
    Target("rosenbrock n=100", "chainrule", "torch", 1.0),
    Target("network", "chainrule", "function alone", 3.5),
)


def tables(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [", ".join(f"{key} {value}" for key, value in results["machine"].items()), ""]
    lines += ["| job | who | µs | × by hand |", "|---|---|---|---|"]
    for job, seconds in results["seconds"].items():
        for name, times in seconds.items():
            share = ratio(seconds, name, "by hand")
            lines.append(f"| {job} | {name} | {statistics.median(times) * 1e6:.1f} | {share:.2f} |")
    lines += ["", "| job | ratio | measured | target | |", "|---|---|---|---|---|"]
    for row in results["targets"]:
        measured = "not installed" if row["measured"] is None else f"{row['measured']:.2f}"
        verdict = {True: "met", False: "missed", None: "left out"}[row["met"]]
        compared = f"{row['contender']} / {row['against']}"
        lines.append(f"| {row['job']} | {compared} | {measured} | ≤ {row['limit']} | {verdict} |")
    products = statistics.median(results["seconds"]["network"]["matrix products alone"])
    lines += [
        "",
        f"The network's matrix products: {network.flops() / 1e6:.0f} MFLOP at "
        f"{network.flops() / products / 1e9:.0f} GFLOP/s, the limit of this machine's BLAS.",
        f"One gradient of Rosenbrock (n = 100) in chainrule: {results['bytecodes']} bytecode "
        f"instructions in {results['python calls']} Python calls.",
    ]
    return "\n".join(lines)


def measure(rounds: int) -> dict[str, Any]:
    """Run all jobs."""
    torch = installed("torch")
    if torch is not None and "OMP_NUM_THREADS" in os.environ:
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    jobs = {f"rosenbrock n={n}": rosenbrock.contenders(n) for n in (2, 100)}
    jobs["network"] = network.contenders()
    seconds = {job: timed(runs, rounds) for job, runs in jobs.items()}
    targets = []
    for target in TARGETS:
        measured = ratio(seconds[target.job], target.contender, target.against)
        met = None if measured is None else measured <= target.limit
        targets.append({**target._asdict(), "measured": measured, "met": met})
    instructions, calls = rosenbrock.bytecodes()
    return {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": rounds,
        "seconds": seconds,
        "targets": targets,
        "bytecodes": instructions,
        "python calls": calls,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="What an eager gradient costs.")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of timing (at least 7)")
    parser.add_argument("--json", type=Path, help="where to write the results")
    parser.add_argument("--check", action="store_true", help="fail if a target is missed")
    options = parser.parse_args()
    results = measure(max(options.rounds, 7))
    stamp = results["date"].replace(":", "").replace("+0000", "")
    path = options.json or Path("runs") / f"overhead-{stamp}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1))
    print(tables(results))
    print(f"\nWritten to {path}.")
    return int(options.check and any(row["met"] is False for row in results["targets"]))


if __name__ == "__main__":
    sys.exit(main())
