"""The pages about devices: sums by hand are those of the code to 1e-9, and nothing that exists goes unnamed."""

from __future__ import annotations

import doctest
import re
from typing import Any

import numpy as np
import pytest

from docs import examples
from edgesdt.spec.schema.device import ARRAY_SWITCHES
from hw_models import response
from hw_models.periphery import Adc, Dac, Drivers, Sense, Wires
from hw_models.periphery.cell_costs import pulse_energy_j, read_energy_j, write_energy_j
from hw_models.sheets import catalog
from hw_models.sheets.conditions import INFORMATIVE

PAGES = examples.ROOT / "docs"
BY_HAND = (PAGES / "explanation" / "price_by_hand.md").read_text(encoding="utf-8")
DEVICES = (PAGES / "explanation" / "devices.md").read_text(encoding="utf-8")
REFERENCE = (PAGES / "reference" / "devices.md").read_text(encoding="utf-8")


def near(value: float, rel: float = 1e-9) -> Any:
    """`pytest.approx` without its absolute tolerance, which is a whole picojoule."""
    return pytest.approx(value, rel=rel, abs=0)


@pytest.fixture(scope="module")
def by_hand() -> dict[str, Any]:
    """What the arithmetic of the page comes to, by its names."""
    names: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(re.sub(r"^```.*$", "", BY_HAND, flags=re.M)):
        exec(compile(example.source, "price_by_hand.md", "single"), names)
    return names


def test_a_pulse_by_hand(by_hand: dict[str, Any]) -> None:
    silver = response.without_noise(catalog.load("Ag_aSi"))
    assert silver.drive is not None
    before, after = response.measure(silver, 1, 0).visible[:, 0]
    assert (before, after) == (near(by_hand["g_0"]), near(by_hand["g_1"]))
    assert by_hand["pulse_j"] == near(float(pulse_energy_j(silver.drive.up.voltage_v, before, after, 300e-6)))
    assert by_hand["pulse_j"] == near(float(write_energy_j(silver.drive, silver.drive.up, before, after)))


def test_a_gate_by_hand(by_hand: dict[str, Any]) -> None:
    lithium = response.without_noise(catalog.load("EcRam"))
    assert response.measure(lithium, 7, 0).up_energy_j == near(7 * by_hand["gate_j"])


def test_a_read_by_hand(by_hand: dict[str, Any]) -> None:
    oxide = catalog.load("ReRamSB").ideal()
    drive = oxide.drive
    assert drive is not None
    g = float(oxide.conductance_s(np.zeros(1))[0])
    assert g == near(by_hand["g_zero"])
    assert by_hand["read_j"] == near(float(read_energy_j(drive.read_voltage_v, g, drive.read_s)))


def test_a_conversion_by_hand(by_hand: dict[str, Any]) -> None:
    assert by_hand["conversion_j"] == near(Adc(8, 100e6, 32).energy_j)
    assert by_hand["dac_j"] == near(Dac(8, 32).energy_j)
    assert by_hand["sample_j"] == near(Sense(32).sample_j)
    assert by_hand["row_j"] == near(Drivers(128, 128, Wires.at_node(32, 16)).row_j(0.2))


def test_the_explanation_names_every_family_and_switch() -> None:
    named = set(re.findall(r"`(\w+)`", DEVICES))
    assert set(catalog.FAMILIES) <= named
    on = {name for device in catalog.names() for name in catalog.load(device).non_idealities}
    assert on | set(ARRAY_SWITCHES) | set(catalog.WRAPPERS) | set(response.SHAPE) <= named


def test_the_pages_say_that_the_access_resistance_is_in_no_price() -> None:
    rows = [line for line in REFERENCE.splitlines() if line.startswith("| `access_resistance` ")]
    assert rows and all(row.endswith(f"{INFORMATIVE['access_resistance']} |") for row in rows)
    own = (PAGES / "how_to" / "own_device_model.md").read_text(encoding="utf-8")
    assert all("`access_resistance`" in page for page in (DEVICES, own))
    assert "for information" in own and "no energy and no time" in DEVICES


def test_the_reference_has_every_preset_family_and_source() -> None:
    for name in catalog.names():
        made = catalog.preset(name)
        section = REFERENCE.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert made.summary in section and f"| [{name}](#{name.lower()}) |" in REFERENCE
        for number, citation in enumerate(made.sources.values(), start=1):
            assert f"\n{number}. {' '.join(citation.split())}" in section
        for key, entry in (*made.parameters.items(), *made.drive.items()):
            number = [*made.sources.values()].index(entry.source) + 1
            told = re.escape(INFORMATIVE.get(key, entry.derived))
            assert re.search(rf"^\| `{key}` \| .+ \| {number} \| {told} \|$", section, re.M), key
    for name in catalog.FAMILIES:
        kind = catalog.family(name)
        section = REFERENCE.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]
        assert kind.citation in section and kind.not_modelled in section
