"""`hustings check`."""

from __future__ import annotations

from pathlib import Path

import typer

from hustings.cli.options import AsJson, Folder


def check(folder: Folder = None, json: AsJson = False) -> None:
    """Say what is fine with the campaign and what is not, without writing anything.

    Reads campaign.toml, every setting, and the columns of every source; ends with exit code 1 when anything
    is wrong.

    Example: hustings check -C examples/michigan-2006
    """
    from hustings.checking import check as checked
    from hustings.cli.printing import print_json

    findings = []
    for finding in checked(folder or Path()):
        findings.append(finding)
        if not json:
            typer.echo(f"{'fine ' if finding.fine else 'WRONG'}  {finding.what}: {finding.text}")
    if json:
        print_json([finding._asdict() for finding in findings])
    if not all(finding.fine for finding in findings):
        raise typer.Exit(1)
