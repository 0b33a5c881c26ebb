"""Timing in turn, and what there is to know about the machine."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[], Any]
SECONDS_PER_BATCH = 0.02
LONG = 0.1  # a call of so many seconds needs no averaging over several


def installed(name: str) -> Any:
    """The peer library, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def timed(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds per call of each contender in each round."""
    calls = {}
    for name, run in runs.items():
        trials = []
        for _ in range(5):
            start = time.perf_counter()
            run()
            trials.append(time.perf_counter() - start)
        calls[name] = max(3 if min(trials) < LONG else 1, int(SECONDS_PER_BATCH / min(trials)))
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for k in range(rounds):
        for name in names[k % len(names) :] + names[: k % len(names)]:
            run = runs[name]
            start = time.perf_counter()
            for _ in range(calls[name]):
                run()
            seconds[name].append((time.perf_counter() - start) / calls[name])
    return seconds


def ratio(seconds: dict[str, list[float]], name: str, against: str) -> float | None:
    """The median over the rounds of time / time; None if the peer is not installed."""
    if name not in seconds or against not in seconds:
        return None
    pairs = zip(seconds[name], seconds[against], strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def machine() -> dict[str, Any]:
    """Where this ran, and with what."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = lines[0].partition(":")[2].strip() if lines else model
    versions = {}
    for name in ("numpy", "scipy", "chainrule", "autograd", "jax", "torch"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set: every library's default"),
        **versions,
    }
