"""`edgeocr doctor`: what this machine has and what is missing, one line each."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common

if TYPE_CHECKING:
    from edgeocr.doctor import Finding


@click.command()
@common.json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Say what this machine has and what is missing, with what to do about it.

    Exit code 1 if `edgeocr bench` on the emulated phone lacks something.
    """
    from edgeocr.doctor import CHECKS, examine

    with common.progress("looking around", total=len(CHECKS)) as bar:
        started = False

        def on_step(name: str) -> None:
            nonlocal started
            bar.advance(1 if started else 0)
            bar.describe(f"looking at: {name}")
            started = True

        findings = examine(on_step)
    ready = all(finding.ok for finding in findings if finding.needed)
    if as_json:
        common.emit_json({"ready": ready, "findings": [asdict(finding) for finding in findings]})
    else:
        _show(findings, ready)
    if not ready:
        ctx.exit(1)


def _show(findings: list[Finding], ready: bool) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        word, colour = ("ok", "green") if finding.ok else ("MISSING", "red") if finding.needed else ("absent", "yellow")
        click.echo(f"{click.style(f'{word:<8}', fg=colour)}{finding.name:<{width}}  {finding.detail}")
        if finding.hint and not finding.ok:
            click.echo(f"{'':<{8 + width}}  → {finding.hint}")
    click.echo("everything that `edgeocr bench` needs is here" if ready else "`edgeocr bench` lacks what is MISSING above")
