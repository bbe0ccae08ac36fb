"""The results to reproduce: reads and checks one YAML file per row. `reproduce` runs them.

A folder holds the rows of one paper (`Liu_2024`), or rows of several sources (`published`). A row is added by adding
its file. A row without `spec` states what was published; no chip of edgesdt does it yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgesdt.errors import EdgesdtError
from edgesdt.spec import Spec, load

PAPER = Path(__file__).parent / "Liu_2024"
FOLDERS = (PAPER, Path(__file__).parent / "published")
QUICK = ("epochs=1", "data.train=1000", "data.test=200")
"""Overrides by `--quick`: the pipeline is tested, but no bar can be checked."""


class Published(BaseModel):
    """Published accuracies: mean and standard deviation over `runs` runs, as fractions, with the network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: tuple[int, ...]
    epochs: int | None = None
    runs: int | None = None
    accuracy: dict[str, tuple[float, float | None]] = Field(min_length=1)


class Row(BaseModel):
    """One row to reproduce: the spec, the seeds, the published figures, and the bars.

    `bar`, `stretch`: accuracy name of a record → minimum fraction of the mean of three seeds or more, else of every
    seed. `source` is the source of the published figures or the bar; `note` says how our run differs from the
    published one. `quick` replaces the overrides of `--quick`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    source: str
    published: Published | None = None
    spec: str | None = None
    set: tuple[str, ...] = ()
    quick: tuple[str, ...] = QUICK
    seeds: tuple[int, ...] = Field(default=(0, 1), min_length=1)
    bar: dict[str, float] = {}
    stretch: dict[str, float] = {}
    note: str = ""

    def load(self, seed: int, quick: bool = False) -> Spec:
        """The spec to run with `seed`. Raises `SpecError`, or `EdgesdtError` without a spec."""
        if self.spec is None:
            raise EdgesdtError(f"{self.name}: this row has no spec to run")
        overrides = [*self.set, f"seed={seed}"]
        if quick:
            overrides += [*self.quick, f"name={self.load(seed).name}-quick"]
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


def known(folders: Sequence[Path] = FOLDERS) -> dict[str, Path]:
    """Name → file of every row in `folders`. Raises `EdgesdtError` for two rows of one name."""
    found: dict[str, Path] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.yaml"))):
        if path.stem in found:
            raise EdgesdtError(f"{path}: its name is taken by {found[path.stem]}")
        found[path.stem] = path
    return found


def chosen(names: Sequence[str], folders: Sequence[Path] = FOLDERS) -> list[Row]:
    """The rows of these names or folders, or all. Raises `EdgesdtError` for an unknown name."""
    there = known(folders)
    groups = {folder.name: [path for path in there.values() if path.parent == folder] for folder in folders}
    for name in names:
        if name not in there and name not in groups:
            close = get_close_matches(name, [*there, *groups], n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise EdgesdtError(f"{name}: not a row to reproduce{hint}; allowed: {', '.join([*groups, *there])}")
    paths = [path for name in names for path in groups.get(name) or [there[name]]]
    return [read(path) for path in dict.fromkeys(paths or there.values())]
