"""Peak memory of this process between two points, where the system tells it."""

from __future__ import annotations

from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def reset_peak() -> None:
    """Begin a new measurement; without effect where the system has no such counter."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return


def peak_megabytes() -> float | None:
    """Peak resident memory in MB since `reset_peak` (since the start where it cannot be reset), or None.

    >>> (peak_megabytes() or 1) > 0
    True
    """
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return None
