"""The command line: `hustings`. One file per command; what a command does stands on a floor below.

Nothing heavy is imported before a command is chosen, so that `hustings --help` answers at once.
"""

from __future__ import annotations

from hustings.cli.entry import app, main

__all__ = ["app", "main"]
