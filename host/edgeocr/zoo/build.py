"""Our own model sets, made from their weights: export in the Paddle environment, conversion by Paddle-Lite's opt, manifest.

A set that can be built is a folder under models/ with a set.json:
{"dictionary": file, "nets": {net: {"input": [null, 3, 32, null], "architecture": …}}, "variants": {variant: {net: {"weights": file}}}},
where net is det, cls or rec and architecture is PaddleOCR's. Weights that a recipe made small say so: "pruned": true, "quantised": true,
"recipe": its file.
The committed build lies in <set>/<variant>/; a new build holds the same files: det.nb, rec.nb, the dictionary, manifest.json.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeocr import __version__
from edgeocr.convert.paddle_env import paddle_python
from edgeocr.errors import ModelError, UsageError
from edgeocr.paths import BUILD, MODELS
from edgeocr.zoo.make_net import STEPS_PER_NET, MadeNet, make_net
from edgeocr.zoo.manifest import MANIFEST, FileRecord, Manifest

SET_FILE = "set.json"
NETS = ("det", "cls", "rec")


@dataclass(frozen=True)
class NetSpec:
    architecture: dict[str, Any]  # PaddleOCR's Architecture
    weights: str  # file, relative to the set's folder, as all files here
    input: list[int | None]  # N, C, H, W; None: any
    pruned: bool = False  # the weights' shapes have fewer channels than the architecture
    quantised: bool = False  # the weights come with activation scales, of quantisation-aware training
    recipe: str | None = None  # what makes the weights (see compress/recipes.py)


@dataclass(frozen=True)
class SetSpec:
    folder: Path
    dictionary: str
    variants: dict[str, dict[str, NetSpec]]

    @property
    def name(self) -> str:
        return self.folder.name

    def committed(self, variant: str) -> Path:
        return self.folder / variant

    def nets(self, variant: str) -> dict[str, NetSpec]:
        """Raises UsageError naming the variants that there are."""
        if variant not in self.variants:
            raise UsageError(
                f"variant {variant!r} of {self.name} cannot be built: it has no weights yet", f"there is: {', '.join(self.variants)}"
            )
        return self.variants[variant]


@dataclass(frozen=True)
class Build:
    folder: Path
    manifest: Manifest
    equal: dict[str, bool]  # file → are these the committed bytes; empty where nothing is committed


def buildable_sets(models: Path = MODELS) -> list[str]:
    return sorted(file.parent.name for file in models.glob(f"*/{SET_FILE}"))


def read_set(name: str, models: Path = MODELS) -> SetSpec:
    """Raises UsageError for a name that is no set of ours, ModelError for a set.json that is not as the module says."""
    sets = buildable_sets(models)
    if name not in sets:
        raise UsageError(f"{name} is not a set that can be built here", f"sets with weights of their own: {', '.join(sets)}")
    file = models / name / SET_FILE
    try:
        document = json.loads(file.read_text())
        variants = {
            variant: {net: NetSpec(**document["nets"][net], **weights) for net, weights in nets.items()}
            for variant, nets in document["variants"].items()
        }
        spec = SetSpec(file.parent, document["dictionary"], variants)
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as e:
        raise ModelError(f"{file}: not a description of a model set: {type(e).__name__}: {e}") from e
    for net in {net for nets in variants.values() for net in nets}:
        if net not in NETS:
            raise ModelError(f"{file}: {net!r} is not a net, expected one of {', '.join(NETS)}")
    return spec


def default_folder(spec: SetSpec, variant: str) -> Path:
    return BUILD / "models" / spec.name / variant


def steps(spec: SetSpec, variants: Iterable[str]) -> int:
    """How often `build` says what it does, for all ``variants`` with one ``made``."""
    return STEPS_PER_NET * len({net.weights for variant in variants for net in spec.nets(variant).values()})


def build(
    spec: SetSpec,
    variant: str,
    out: Path,
    on_step: Callable[[str], None] = lambda what: None,
    *,
    made: dict[str, MadeNet] | None = None,
    remade: Mapping[str, Path] | None = None,
) -> Build:
    """Makes the files of a variant in ``out``, which is replaced in one step when all are there.

    ``on_step`` hears what is about to be done, `STEPS_PER_NET` times for each net. ``made`` keeps the nets by their weights, for variants
    that share some. ``remade`` has files to take instead of weights of the set. Raises SetupError without a Paddle environment, UsageError
    where ``out`` holds something that no build made, ModelError for weights that do not fit or a conversion that fails.
    """
    nets = spec.nets(variant)
    paddle_python()
    made, remade = {} if made is None else made, remade or {}
    with _replacing(out) as scratch:
        versions = {"edgeocr": __version__}
        for net, net_spec in nets.items():
            if net_spec.weights not in made:
                weights = remade.get(net_spec.weights, spec.folder / net_spec.weights)
                made[net_spec.weights] = _make_net(weights, net, net_spec, on_step)
            (scratch / f"{net}.nb").write_bytes(made[net_spec.weights].nb)
            versions |= made[net_spec.weights].versions
        shutil.copyfile(spec.folder / spec.dictionary, scratch / spec.dictionary)
        files = {path.name: FileRecord.of(path) for path in sorted(scratch.iterdir())}
        manifest = Manifest(
            set=spec.name,
            variant=variant,
            command=f"edgeocr build-models --set {spec.name} --variant {variant}",
            files=files,
            sources={name: FileRecord.of(remade.get(name, spec.folder / name)) for name in _sources(spec, nets)},
            versions=versions,
        )
        equal = _compare(manifest, spec.committed(variant))
        manifest.write(scratch / MANIFEST)
    return Build(out, manifest, equal)


def _sources(spec: SetSpec, nets: dict[str, NetSpec]) -> list[str]:
    recipes = [net_spec.recipe for net_spec in nets.values() if net_spec.recipe is not None]
    return [SET_FILE, spec.dictionary, *(net_spec.weights for net_spec in nets.values()), *recipes]


def _make_net(weights: Path, net: str, spec: NetSpec, on_step: Callable[[str], None]) -> MadeNet:
    keys = {"pruned": spec.pruned, "quantised": spec.quantised}
    description = {"architecture": spec.architecture, "weights": str(weights), "input": spec.input, **keys}
    return make_net(description, called=net, file=f"{net}.nb", on_step=lambda what: on_step(f"{net}: {what}"))


def _compare(manifest: Manifest, committed: Path) -> dict[str, bool]:
    if not committed.is_dir():
        return {}
    return {name: (committed / name).is_file() and FileRecord.of(committed / name) == record for name, record in manifest.files.items()}


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A folder to fill, beside ``out``; it takes the place of ``out`` at the end, or vanishes on an error."""
    try:
        _require_replaceable(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
            new, old = Path(scratch) / "new", Path(scratch) / "old"
            new.mkdir()
            yield new
            if out.exists():
                out.rename(old)
            new.rename(out)
    except OSError as e:
        raise ModelError(f"{e.filename or out}: cannot be written: {e.strerror}", "give another folder with --out") from e


def _require_replaceable(out: Path) -> None:
    """Raises UsageError unless ``out`` is new, empty, or holds a former build and nothing else."""
    hint = "give a new folder with --out"
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        made = {MANIFEST, *Manifest.read(out / MANIFEST).files}
    except ModelError:  # many programs have a file of that name
        raise UsageError(f"{out}: is not empty and holds no {MANIFEST} of a former build", hint) from None
    others = sorted(path.name for path in out.iterdir() if path.name not in made or not path.is_file())
    if others:
        raise UsageError(f"{out}: holds {others[0]}, which no build made", f"move it elsewhere, or {hint}")
