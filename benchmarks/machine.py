"""What the figures were measured on. Standard library only."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import datetime
from pathlib import Path

PACKAGES = ("bayes_sp", "numpy", "pymc", "nutpie", "numba", "pytensor", "arviz")


def machine() -> dict[str, str]:
    """Return date, processor, cores, memory and versions."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    found = {
        "date": datetime.now().astimezone().isoformat(timespec="minutes"),
        "cpu": _processor(),
        "cores": str(os.cpu_count() or "unknown"),
        "memory_gb": _memory(),
        "load_at_start": load,
        "blas_threads": "1",
        "python": platform.python_version(),
    }
    return found | {name: importlib.metadata.version(name) for name in PACKAGES}


def _processor() -> str:
    """Return the processor's name; on Linux from /proc, where `platform.processor` is often empty."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.1f}"
    except (AttributeError, ValueError, OSError):
        return "unknown"
