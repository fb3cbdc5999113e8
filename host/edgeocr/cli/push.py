"""`edgeocr push`: bring runner, models and pictures to a device ahead of a run."""

from __future__ import annotations

from pathlib import Path

import click

from edgeocr.cli.common import device_option, emit_json, json_option, models_options, progress, stdout_console


@click.command()
@device_option(default=None)
@models_options
@json_option
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(
    device: str, set_name: str | None, variant: str | None, models_dir: Path | None, as_json: bool, pictures: tuple[Path, ...]
) -> None:
    """Bring runner, models and pictures to a device, under /data/local/tmp/edgeocr.

    `ocr` and `bench` push what they need by themselves. What the device has already, by the hash that it computes itself, is not
    sent again.
    """
    from edgeocr.device.push import model_file, picture_file, push, runner_file
    from edgeocr.device.runner import require_runner
    from edgeocr.device.selection import open_device
    from edgeocr.errors import UsageError
    from edgeocr.zoo.resolve import resolve_models

    models = resolve_models(set_name, variant, models_dir)
    with open_device(device) as target:
        if target.kind == "host":
            raise UsageError("nothing is pushed to this machine", "give the serial of a phone (`edgeocr devices`), or `emulated`")
        files = [runner_file(require_runner(target)), *map(model_file, models.paths()), *map(picture_file, pictures)]
        with progress(f"pushing to {target.serial}", len(files)) as bar:
            report = push(target, files, lambda file, sent: bar.advance())
        serial, kind = target.serial, target.kind
    if as_json:
        emit_json(
            {
                "serial": serial,
                "kind": kind,
                "models": {"set": models.name, "variant": models.variant},
                "files": [{"name": file.name, "local": str(file.local), "sha256": file.sha256, "bytes": file.bytes} for file in files],
                "sent": report.sent,
                "skipped": report.skipped,
                "bytes": report.bytes,
                "seconds": report.seconds,
            }
        )
        return
    console = stdout_console()
    for file in {file.name: file for file in files}.values():
        console.print(f"{'sent ' if file.name in report.sent else 'there'} {file.bytes:>10,} B  {file.name}")
    console.print(
        f"{serial} ({kind}): {len(report.sent)} sent, {len(report.skipped)} there already, {report.bytes:,} B in {report.seconds:.1f} s",
    )
