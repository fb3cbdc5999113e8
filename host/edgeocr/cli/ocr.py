"""`edgeocr ocr`: read the text of pictures, on this machine or on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeocr.cli import common

if TYPE_CHECKING:
    from edgeocr.device.device import Device
    from edgeocr.device.records import ErrorRecord, Line, PictureRecord
    from edgeocr.device.runner import OcrOptions
    from edgeocr.zoo.model_files import ModelFiles


@click.command()
@click.argument("pictures", metavar="PICTURE…", nargs=-1, required=True, type=click.Path(path_type=Path))
@common.device_option()
@common.models_options
@click.option("--draw", "drawing", metavar="OUT.png", type=click.Path(path_type=Path), help="Write the picture with its lines drawn in.")
@common.json_option
@click.option("--all", "show_all", is_flag=True, help="Also show lines whose score is below the set's drop_score (0.5), marked.")
@click.option("--threads", type=click.IntRange(1, common.MAX_THREADS), default=1, show_default=True, help="Threads of the runner.")
@common.precision_option
@common.int8_option
@common.dynamic_int8_option
@click.pass_context
def command(
    ctx: click.Context,
    pictures: tuple[Path, ...],
    device: str,
    set_name: str | None,
    variant: str | None,
    models_dir: Path | None,
    drawing: Path | None,
    as_json: bool,
    show_all: bool,
    threads: int,
    precision: str | None,
    int8: str | None,
    dynamic_int8: bool,
) -> None:
    """Read the text of each PICTURE: lines in reading order, their boxes and scores, and the time of each stage.

    Of several pictures, those that cannot be read get one error line each, the others are shown, and the exit code is 1.
    """
    from edgeocr.bench.reading_options import reading_options
    from edgeocr.device.runner import complaint
    from edgeocr.device.selection import open_device
    from edgeocr.zoo import registry
    from edgeocr.zoo.resolve import resolve_models

    if drawing is not None:
        _check_drawing(drawing, pictures)
    readable, complaints = _split(pictures)
    known = registry.load()
    models = resolve_models(set_name, variant, models_dir, registry=known, progress=common.progress)
    records: list[PictureRecord] = []
    if readable:
        with open_device(device) as opened:
            options = replace(reading_options(models, known), precision=precision, int8=int8, dynamic_int8=dynamic_int8)
            records, errors = _read(opened, models, readable, threads, options)
            complaints += [complaint(error) for error in errors]
            if opened.kind == common.EMULATED:
                common.note("emulated: the times are no speed")
    if as_json:
        common.emit_json([document(record, show_all) for record in records])
    else:
        for record in records:
            _show(record, show_all)
    if drawing is not None and records:
        _draw(records[0], drawing, show_all)
    for what in complaints:
        click.echo(f"error: {what}", err=True)
    if complaints:
        ctx.exit(1)


def document(record: PictureRecord, show_all: bool) -> dict[str, object]:
    """One picture as JSON data; lines in reading order, those that are not kept marked so."""
    return {
        "picture": record.picture,
        "lines": [_line_document(line) for line in _shown(record, show_all)],
        "ms": record.ms,
    }


def _line_document(line: Line) -> dict[str, object]:
    box = [[int(x) if x == int(x) else x for x in corner] for corner in line.box]
    shown: dict[str, object] = {"box": box, "text": line.text, "score": line.score, "turned": line.turned}
    return shown if line.kept else shown | {"kept": False}


def _shown(record: PictureRecord, show_all: bool) -> list[Line]:
    return [line for line in record.lines if line.kept or show_all]


def _split(pictures: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Those that can be opened, and what is wrong with each of the others."""
    files, complaints = [], []
    for picture in pictures:
        complaint = _unusable(picture)
        if complaint is None:
            files.append(picture)
        else:
            complaints.append(f"{picture}: {complaint}")
    return files, complaints


def _unusable(picture: Path) -> str | None:
    if picture.is_dir():
        return f"is a folder, expected a picture: name its files, for example {picture}/*.jpg"
    if not picture.exists():
        return "no file matches the pattern" if any(character in picture.name for character in "*?[") else "no such picture"
    if not picture.is_file():
        return "is a device or a pipe, expected a file"
    try:
        with picture.open("rb"):
            return None
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _read(
    device: Device, models: ModelFiles, pictures: list[Path], threads: int, options: OcrOptions
) -> tuple[list[PictureRecord], Sequence[ErrorRecord]]:
    from edgeocr.device.records import ErrorRecord, PictureRecord, Record
    from edgeocr.device.runner import UnreadablePictures, run_ocr

    with common.progress("Reading", total=len(pictures)) as bar:

        def on_record(record: Record) -> None:
            if isinstance(record, (PictureRecord, ErrorRecord)):
                bar.advance()

        try:
            return run_ocr(device, models, pictures, threads=threads, options=options, on_record=on_record), []
        except UnreadablePictures as unreadable:
            return unreadable.records, unreadable.errors


def _show(record: PictureRecord, show_all: bool) -> None:
    from rich.table import Table

    heading = f"{record.picture} ({record.size[0]}x{record.size[1]})"
    table = Table(title=heading, title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("text")
    table.add_column("score", justify="right")
    table.add_column("top left", justify="right")
    table.add_column("")
    for number, line in enumerate(_shown(record, show_all), start=1):
        x, y = line.box[0]
        marks = [*(["turned"] if line.turned else []), *([] if line.kept else ["not kept"])]
        table.add_row(str(number), line.text, f"{line.score:.3f}", f"{x:g}, {y:g}", ", ".join(marks))
    console = common.stdout_console()
    if table.row_count:
        console.print(table)
    else:
        console.print(f"{heading}: no text found")
    times = " · ".join(f"{stage} {ms:.1f}" for stage, ms in record.ms.items())
    console.print(f"ms: {times}", style="dim")


def _check_drawing(drawing: Path, pictures: Sequence[Path]) -> None:
    from edgeocr.bench.drawing import check_target
    from edgeocr.errors import UsageError

    if len(pictures) != 1:
        raise UsageError(f"--draw makes one drawing, but there are {len(pictures)} pictures: name one")
    check_target(drawing, pictures[0])


def _draw(record: PictureRecord, drawing: Path, show_all: bool) -> None:
    from edgeocr.bench.drawing import draw

    draw(Path(record.picture), _shown(record, show_all), drawing)
    common.note(f"drawn: {drawing}")
