"""`edgeocr build-models`: our own sets exported by Paddle and converted by Paddle-Lite's opt."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common
from edgeocr.cli.recipe_progress import RecipeProgress
from edgeocr.errors import UsageError

if TYPE_CHECKING:
    from edgeocr.zoo.build import Build


@click.command()
@click.option("--set", "set_name", metavar="NAME", help="A set with weights of its own under models/; all of them if not given.")
@click.option("--variant", type=click.Choice(common.VARIANTS), help="How the set was made small; every variant if not given.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make, of one variant; build/models/SET/VARIANT if not given. A former build there is replaced.",
)
@click.option(
    "--from-scratch",
    is_flag=True,
    help="Make the small weights anew from the base weights first, by the recipes in models/recipes: hours on a CPU. Ctrl-C stops with a "
    "checkpoint, and the same command goes on from there.",
)
@common.json_option
def command(set_name: str | None, variant: str | None, out: Path | None, from_scratch: bool, as_json: bool) -> None:
    """Export model sets and convert them to .nb with Paddle-Lite's opt, in the Paddle environment.

    The same weights give the same bytes: the command says whether they are the committed ones.
    """
    from edgeocr.zoo.build import build, buildable_sets, default_folder, read_set, steps
    from edgeocr.zoo.make_net import MadeNet
    from edgeocr.zoo.remake import remake

    specs = [read_set(name) for name in ([set_name] if set_name else buildable_sets())]
    wanted = [(spec, [variant] if variant else list(spec.variants)) for spec in specs]
    if out is not None and sum(len(variants) for _, variants in wanted) > 1:
        raise UsageError("--out is one folder, but several variants would be built", "name one with --set and --variant")
    work = sum(steps(spec, variants) for spec, variants in wanted)
    remade = {}
    if from_scratch:
        for spec, variants in wanted:
            with common.progress(f"recipes of {spec.name}") as bar:
                remade[spec.name] = remake(spec, variants, RecipeProgress(bar).line)
    builds = []
    with common.progress("building", total=work) as bar:
        started = False

        def on_step(what: str) -> None:
            nonlocal started
            bar.advance(1 if started else 0)
            bar.describe(what)
            started = True

        for spec, variants in wanted:
            made: dict[str, MadeNet] = {}
            for name in variants:
                folder = out or default_folder(spec, name)
                builds.append(build(spec, name, folder, on_step, made=made, remade=remade.get(spec.name)))
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
