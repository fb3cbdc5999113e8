"""`edgeocr build-models`: our own sets exported by Paddle and converted by Paddle-Lite's opt."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common
from edgeocr.errors import UsageError

if TYPE_CHECKING:
    from edgeocr.zoo.build import Build


@click.command()
@click.option("--set", "set_name", metavar="NAME", help="A set with weights of its own under models/; all of them if not given.")
@click.option("--variant", type=click.Choice(common.VARIANTS), default="none", show_default=True, help="How the set was made small.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make; build/models/SET/VARIANT if not given. A former build there is replaced.",
)
@common.json_option
def command(set_name: str | None, variant: str, out: Path | None, as_json: bool) -> None:
    """Export model sets and convert them to .nb with Paddle-Lite's opt, in the Paddle environment.

    The same weights give the same bytes: the command says whether they are the committed ones.
    """
    from edgeocr.zoo.build import STEPS_PER_NET, build, buildable_sets, default_folder, read_set

    specs = [read_set(name) for name in ([set_name] if set_name else buildable_sets())]
    if out is not None and len(specs) > 1:
        raise UsageError("--out is one folder, but several sets would be built", "name one with --set")
    steps = sum(STEPS_PER_NET * len(spec.nets(variant)) for spec in specs)
    builds = []
    with common.progress("building", total=steps) as bar:
        for spec in specs:
            started = False

            def on_step(what: str, name: str = spec.name) -> None:
                nonlocal started
                bar.advance(1 if started else 0)
                bar.describe(f"{name} {what}")
                started = True

            builds.append(build(spec, variant, out or default_folder(spec, variant), on_step))
            bar.advance()
    if as_json:
        common.emit_json([_document(b) for b in builds])
        return
    for b in builds:
        _show(b)


def _document(build: Build) -> dict[str, object]:
    committed = all(build.equal.values()) if build.equal else None
    return {"folder": str(build.folder), "equals_committed": committed, "equal": build.equal, "manifest": asdict(build.manifest)}


def _show(build: Build) -> None:
    from rich.table import Table

    manifest = build.manifest
    table = Table(title=f"{manifest.set} {manifest.variant} → {build.folder}", title_justify="left")
    for heading in ("file", "bytes", "sha256", "committed bytes"):
        table.add_column(heading, justify="right" if heading == "bytes" else "left")
    for name, record in manifest.files.items():
        verdict = "none committed" if not build.equal else "equal" if build.equal[name] else "DIFFERENT"
        table.add_row(name, f"{record.bytes:,}", record.sha256, verdict)
    console = common.stdout_console()
    console.print(table)
    console.print("made by " + ", ".join(f"{name} {version}" for name, version in manifest.versions.items()))
