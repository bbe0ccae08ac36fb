"""`edgesdt suggest`: a spec that runs, near logistic regression on the inputs or with the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgesdt.spec import load, loads
from edgesdt.suggest import search as suggesting
from edgesdt.suggest import suggestion
from tests.conftest import Said

Cli = Callable[..., Said]


def bands(number: int = 1000) -> dict[str, Any]:
    """Like the bands of a sound: dense, correlated, signed features moved to 0..255; 8 classes of 48 features."""
    rng = np.random.RandomState(0)

    def smooth(rows: int, width: int = 5) -> Any:
        rough = rng.normal(size=(rows, 48 + width - 1))
        return np.stack([np.convolve(row, np.ones(width) / width, "valid") for row in rough])

    y = np.arange(number) % 8
    z = 1.4 * smooth(8)[y] + rng.normal(size=(number, 10)) @ (0.9 * smooth(10)) + 0.5 * rng.normal(size=(number, 48))
    x = ((z - z.min()) / np.ptp(z) * 255).astype(np.uint8)
    cut = number * 4 // 5
    return {"x_train": x[:cut], "y_train": y[:cut], "x_test": x[cut:], "y_test": y[cut:]}


def test_on_dense_correlated_features_it_comes_near_the_inputs(cli: Cli, tmp_path: Path) -> None:
    np.savez(tmp_path / "bands.npz", **bands())
    said = cli("suggest", "bands.npz", "--out", "bands.yaml")
    assert said.code == 0, said.err
    assert said.out == "bands.yaml\n" and "logistic regression on the inputs: " in said.err
    text = (tmp_path / "bands.yaml").read_text(encoding="utf-8")
    spec = load("bands.yaml")
    assert "set: bands.npz" in text and spec.data.set == str(tmp_path / "bands.npz")
    assert spec.chip.layers[0] == 48 and spec.name == "bands"
    found = suggesting.suggest("bands.npz")
    assert suggestion.written(found) == text, "the same again"
    assert found.reached >= found.on_inputs - suggesting.NEAR and found.why == ()
    assert cli("check", "bands.yaml").code == 0
    (tmp_path / "specs").mkdir()
    assert suggestion.written(found, "specs").count("set: ../bands.npz") == 1


def test_a_shortfall_is_said_with_its_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "NEAR", -1.0)
    monkeypatch.setattr(suggesting, "_rounds", lambda search: [])
    found = suggesting.suggest("digits")
    assert found.why and all(sentence.endswith(".") for sentence in found.why)
    text = suggestion.written(found)
    assert "# It falls " in text and loads(text).chip.layers[0] == 64
    assert found.tried >= 5, "more neurons, wider weights and stretched features were tried"


def test_no_test_sample_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "_rounds", lambda search: [[{"learning.winners": 5}]])
    monkeypatch.chdir(tmp_path)
    found, texts = bands(300), []
    for test in (found["x_test"], 255 - found["x_test"]):
        np.savez("set.npz", **(found | {"x_test": test}))
        texts.append(suggestion.written(suggesting.suggest("set.npz")))
    assert texts[0] == texts[1]


def test_what_cannot_be_suggested_for_is_refused(cli: Cli, tmp_path: Path) -> None:
    found = bands(100)
    np.savez(tmp_path / "one.npz", **(found | {"y_train": found["y_train"] * 0}))
    cli("suggest", "one.npz").refused("its training samples have one class, allowed: two or more")
    cli("suggest", "none.npz").refused("none.npz: cannot be read")
    cli("suggest", "mnits").refused("mnits", "mnist")
    np.savez(tmp_path / "bands.npz", **found)
    cli("suggest", "bands.npz", "--out", "bands.npz").refused("would overwrite a file that this command reads")


@pytest.mark.parametrize(("levels", "bits"), [(2, 4), (16, 4), (256, 5)])
def test_inputs_have_the_bits_that_keep_features_apart(levels: int, bits: int) -> None:
    x = (np.random.RandomState(0).randint(0, levels, (400, 9)) * (255 // (levels - 1))).astype(np.uint8)
    assert suggesting._input_bits(x) == bits
    assert suggesting._input_bits((x // 64 + 100).astype(np.uint8)) > 4
