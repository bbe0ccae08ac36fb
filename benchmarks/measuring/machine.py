"""Describes the machine of a measurement: processor, linear-algebra library, versions, and load."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgesdt.runs.record import versions


def processor(cpuinfo: str) -> str:
    """The model in the text of `/proc/cpuinfo`, or the architecture if it names none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def describe() -> dict[str, Any]:
    """Processor, usable cores, load average of the last minute, BLAS library and versions, JSON-ready."""
    from threadpoolctl import threadpool_info

    cpuinfo = Path("/proc/cpuinfo")
    blas = sorted(
        {
            f"{found['internal_api']} {found['version']} ({found.get('architecture', 'unknown')})"
            for found in threadpool_info()
            if found["user_api"] == "blas"
        }
    )
    return {
        "processor": processor(cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
        "blas": blas,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
    }


def in_words(machine: Mapping[str, Any]) -> str:
    """`describe()` as two lines of text."""
    named = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load']}, {machine['system']}\n"
        f"{named}; BLAS: {', '.join(machine['blas'])}"
    )
