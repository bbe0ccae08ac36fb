"""The results to reproduce: reads and checks one YAML file per row in `published`. `reproduce` runs them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgesdt.errors import EdgesdtError
from edgesdt.spec import Spec, load

FOLDER = Path(__file__).parent / "published"
QUICK = {"epochs": 1, "data.train": 1_000, "data.test": 200}
"""Changes by `--quick`: the pipeline is tested, but no bar can be checked."""


class Published(BaseModel):
    """Published accuracies: mean and standard deviation over `runs` runs, as fractions, with the network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: tuple[int, ...]
    epochs: int | None = None
    runs: int | None = None
    accuracy: dict[str, tuple[float, float | None]] = Field(min_length=1)


class Row(BaseModel):
    """One row to reproduce: the spec, the seeds, the published figures, and the bars.

    `bar`, `stretch`: accuracy name of a record → minimum fraction for every seed. `source` is the source of the
    published figures or the bar; `note` says how our run differs from the published one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    source: str
    published: Published | None = None
    spec: str
    set: tuple[str, ...] = ()
    seeds: tuple[int, ...] = Field(default=(0, 1), min_length=1)
    bar: dict[str, float] = {}
    stretch: dict[str, float] = {}
    note: str = ""

    def load(self, seed: int, quick: bool = False) -> Spec:
        """The spec to run with `seed`. Raises `SpecError`."""
        overrides = [*self.set, f"seed={seed}"]
        if quick:
            overrides += [f"{path}={value}" for path, value in QUICK.items()]
            overrides.append(f"name={self.load(seed).name}-quick")
        return load(self.spec, overrides)

    def metrics(self) -> list[str]:
        """Names of the accuracies of this row, the published ones first."""
        published = self.published.accuracy if self.published else {}
        return list(dict.fromkeys([*published, *self.bar, *self.stretch])) or ["direct_average"]


def read(path: Path) -> Row:
    """The row in a YAML file. Raises `EdgesdtError` naming file and field."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise EdgesdtError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise EdgesdtError(f"{path}: not a mapping of fields")
    try:
        return Row(name=path.stem, **data)
    except (ValidationError, TypeError) as error:
        raise EdgesdtError(f"{path}: {_first_fault(error)}") from error


def _first_fault(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}, not {fault['input']!r}"


def known(folder: Path = FOLDER) -> dict[str, Path]:
    """Name → file of every row in `folder`."""
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def chosen(names: Sequence[str], folder: Path = FOLDER) -> list[Row]:
    """The rows of these names, or all. Raises `EdgesdtError` for an unknown name."""
    there = known(folder)
    for name in names:
        if name not in there:
            close = get_close_matches(name, there, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise EdgesdtError(f"{name}: not a row to reproduce{hint}; allowed: {', '.join(there)}")
    return [read(there[name]) for name in names or there]
