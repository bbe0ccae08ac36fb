"""The spec layer: defaults, every kind of fault with its line and words, overrides, hash, YAML out."""

from __future__ import annotations

import ast
import copy
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgesdt import registry
from edgesdt.errors import SpecError
from edgesdt.spec import SETS, Spec, documented, load, loads, shipped, spec_hash, to_yaml
from edgesdt.spec.checks import unused
from edgesdt.spec.schema.memory import KINDS

GOOD = """\
name: good
data: {set: digits}
chip:
  layers: [64, 100]
  memory_budget: 64 KiB
"""


def faults(text: str, *overrides: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        loads(text, "my.yaml", overrides)
    return caught.value.faults


def fault(text: str, *overrides: str) -> str:
    (only,) = faults(text, *overrides)
    return only


# ---------------------------------------------------------------- what is accepted


def test_defaults() -> None:
    spec = loads(GOOD)
    assert spec.encoder.bits == 8
    assert spec.data.train is None
    assert spec.chip.layers == (64, 100)
    assert spec.chip.memory_budget == 64 * 1024 * 8
    assert spec.chip.clock == 1e8
    assert spec.chip.weights.model_dump() == {
        "bits": 8,
        "frac_bits": 9,
        "hidden_bits": 0,
        "levels": "floor",
        "rounding": "stochastic",
        "init_gain": 0.5,
    }
    assert spec.learning.learning_rate == (0.002,)
    assert spec.learning.dropout.output == 0.2
    assert spec.readout == ("direct",)
    assert spec.sweep is None
    assert spec.technology.table == "cmos_45nm"


def test_every_default_is_valid_and_documented_with_what_is_allowed() -> None:
    docs = list(documented())
    assert len({doc.path for doc in docs}) == len(docs)
    for doc in docs:
        assert doc.description and doc.allowed, doc.path
    assert {doc.path for doc in docs if doc.required} == {
        "name",
        "data.set",
        "chip.layers",
        "chip.memory_budget",
    }
    explicit = [
        f"{doc.path}={json.dumps(doc.default)}" for doc in docs if not doc.required and doc.path != "sweep"
    ]
    assert loads(GOOD, overrides=explicit) == loads(GOOD)


def test_documented_fields_are_those_of_a_plain_spec() -> None:
    def leaves(tree: dict[str, Any], prefix: str = "") -> set[str]:
        found = set()
        for key, value in tree.items():
            found |= leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key}
        return found

    cells = "device: {model: EcRam, drift_compensation: global}\n"
    whole = GOOD + "label_seed: 1\n" + cells + "deployment: {times: [1 s]}\n"
    kinds = ", ".join(f"{kind}: {{word: 8 bit}}" for kind in KINDS)
    of_files = {"data.sha256", "device.sheet", "technology.file", "technology.sha256", "technology.sheet"}
    usual = ["learning.schedule.start=0.5", "learning.consolidation={frozen: 0.5, by: random}"]
    found = leaves(loads(whole, overrides=[f"chip.memory={{bank: 1 KiB, {kinds}}}", *usual]).plain())
    unsaid = {"chip.weights.hidden_bits", "chip.weights.levels", "learning.loss"}  # left out where they are the default
    mappings = {"sweep", "device.parameters", "device.layers", "phases", "data.labels", "chip.replay"}
    assert {doc.path for doc in documented()} == found | mappings | of_files | unsaid
    assert not found & of_files, "only there where a spec names a file"


def test_yaml_1_1_traps() -> None:
    spec = loads(GOOD + "learning: {learning_rate: 1e-3, beta: 50e-3, schedule: {final: 1E-3}}\n")
    assert spec.learning.learning_rate == (0.001,)
    assert spec.learning.beta == 0.05
    assert spec.learning.schedule.final == 0.001
    for word, meaning in {
        "on": True,
        "Yes": True,
        "true": True,
        "off": False,
        "no": False,
        "FALSE": False,
    }.items():
        assert loads(GOOD, overrides=[f"chip.biases.enabled={word}"]).chip.biases.enabled is meaning
    assert loads(GOOD.replace("name: good", "name: no")).name == "no"
    assert loads(GOOD + "epochs: 010\n").epochs == 10  # not octal
    assert loads(GOOD + "epochs: 0x10\n").epochs == 16
    assert loads(GOOD.replace("digits}", "digits, train: 1_000}")).data.train == 1000
    assert "wrong type: '12:30:00'" in fault(GOOD + "epochs: 12:30:00\n")  # not 45000
    assert "wrong type: 'on'" in fault(GOOD + "epochs: on\n")


def test_sections_may_be_empty() -> None:
    assert loads(GOOD + "learning:\nencoder: {}\n") == loads(GOOD)


def test_one_rate_is_given_to_every_weight_layer() -> None:
    text = GOOD.replace("[64, 100]", "[64, 50, 100]")
    assert loads(text).learning.learning_rate == (0.002, 0.002)
    assert loads(text, overrides=["learning.learning_rate=1"]).learning.learning_rate == (1.0, 1.0)
    assert loads(text, overrides=["learning.learning_rate=[.1, 1]"]).learning.learning_rate == (0.1, 1.0)


def test_output_dropout_is_off_by_default_with_labels() -> None:
    label = GOOD.replace("100", "10") + "learning: {target: label}\nreadout: [output, direct]\n"
    spec = loads(label)
    assert (spec.learning.dropout.input, spec.learning.dropout.output) == (0.3, 0.0)
    assert loads(label, overrides=["learning.dropout.output=0"]) == spec
    assert "allowed: 0" in fault(label, "learning.dropout.output=0.2")


def test_quantities() -> None:
    for text, bits in {"2 MiB": 2**24, "64kbit": 64_000, "100": 800, "100 kB": 800_000}.items():
        assert loads(GOOD, overrides=[f"chip.memory_budget={text}"]).chip.memory_budget == bits
    assert loads(GOOD, overrides=["chip.clock=2.5GHz"]).chip.clock == 2.5e9
    assert loads(GOOD, overrides=["technology.node=65 nm"]).technology.node == 65.0
    assert loads(GOOD, overrides=["technology.node=0.065 um"]).technology.node == 65.0
    assert loads(GOOD, overrides=["technology.node=28"]).technology.node == 28.0
    assert loads(GOOD, overrides=["technology.node=null"]).technology.node is None


def test_a_path_to_an_npz_file_is_a_data_set_of_any_shape() -> None:
    spec = loads(
        "name: a\ndata: {set: ./my/set.npz, train: 99999}\nchip: {layers: [7, 9], memory_budget: 9}\n"
    )
    assert spec.data.set == "./my/set.npz"


def test_a_sweep_is_kept_as_it_is() -> None:
    text = GOOD + "sweep:\n  chip.weights.bits: [4, 6]\n"
    assert loads(text).sweep == {"chip.weights.bits": [4, 6]}
    assert loads(text, overrides=["sweep.seed=[0, 1]"]).sweep == {"chip.weights.bits": [4, 6], "seed": [0, 1]}
    assert loads(text, overrides=["sweep=null"]) == loads(GOOD) == loads(GOOD + "sweep: {}\n")


def test_specs_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        loads(GOOD).chip.weights.bits = 4


def test_importing_the_spec_loads_no_numerics() -> None:
    code = (
        "import sys, edgesdt.spec; print([m for m in ('numpy', 'numba', 'matplotlib') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == []


# ---------------------------------------------------------------- faults, one by one


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "epochs: '3'",
            "epochs: wrong type: '3', allowed: an integer 1..100000 (did you mean 3, without quotes?)",
        ),
        ("epochs: 3.0", "epochs: wrong type: 3.0, allowed: an integer 1..100000 (did you mean 3?)"),
        ("epochs: true", "epochs: wrong type: true, allowed: an integer 1..100000"),
        ("epochs:", "epochs: wrong type: null, allowed: an integer 1..100000"),
        ("epochs: [3]", "epochs: wrong type: [3], allowed: an integer 1..100000"),
        ("epochs: 0", "epochs: out of range: 0, allowed: an integer 1..100000"),
        ("epochs: 100001", "epochs: out of range: 100001, allowed: an integer 1..100000"),
        ("seed: 4294967296", "seed: out of range: 4294967296, allowed: an integer 0..4294967295"),
        ("encoder: {bits: 9}", "encoder.bits: out of range: 9, allowed: an integer 1..8"),
        ("label_fraction: 0", "label_fraction: out of range: 0, allowed: a number in (0, 1]"),
        ("label_fraction: .nan", "label_fraction: not a finite number: nan, allowed: a number in (0, 1]"),
        ("label_fraction: -.inf", "label_fraction: not a finite number: -inf, allowed: a number in (0, 1]"),
        ("label_fraction: 1e999", "label_fraction: not a finite number: inf, allowed: a number in (0, 1]"),
        ("label_fraction: nan", "label_fraction: not a finite number: 'nan', allowed: a number in (0, 1]"),
        ("label_fraction: false", "label_fraction: wrong type: false, allowed: a number in (0, 1]"),
        (
            "encodr: {bits: 3}",
            "encodr: unknown key, allowed: name, data, encoder, chip, learning, device, technology, "
            "deployment, readout, label_fraction, label_seed, epochs, phases, seed, sweep (did you mean 'encoder'?)",
        ),
        ("encoder: {bit: 3}", "encoder.bit: unknown key, allowed: bits (did you mean 'bits'?)"),
        ("winners: 3", "(did you mean learning.winners?)"),
        ("learning.winners: 3", "'learning.winners': unknown key"),
        ("encoder: 3", "encoder: wrong type: 3, allowed: a mapping of bits"),
        (
            "readout: direct",
            "readout: wrong type: 'direct', allowed: a list of direct, linear, output, activation, each once",
        ),
        ("readout: []", "readout: too few items: [], allowed: a list of direct, linear, output, activation, each once"),
        (
            "readout: [lienar]",
            "readout[0]: unknown choice: 'lienar', allowed: direct, linear, output, activation "
            "(did you mean 'linear'?)",
        ),
        ("readout: [linear, linear]", "readout: 'linear' is given more than once"),
        ("readout: [3]", "readout[0]: wrong type: 3, allowed: direct, linear, output, activation"),
        (
            "learning: {rule: eqprob}",
            f"learning.rule: unknown rule: 'eqprob', allowed: {', '.join(registry.OURS)}, or the rule of a plug-in "
            "(did you mean 'eqprop'?)",
        ),
        (
            "learning: {learning_rate: 2}",
            "learning.learning_rate: out of range: 2, allowed: a number in (0, 1], or a "
            "list of one per weight layer",
        ),
        ("learning: {learning_rate: []}", "learning.learning_rate: too few items: []"),
        (
            "learning: {learning_rate: [0.1, x]}",
            "learning.learning_rate[1]: wrong type: 'x', allowed: a number in (0, 1]",
        ),
        (
            "learning: {dropout: {input: 1}}",
            "learning.dropout.input: out of range: 1, allowed: a number in [0, 1)",
        ),
        (
            "device: {model: sran}",
            "device.model: unknown device model: 'sran', allowed: a name of "
            "'edgesdt device list' (did you mean 'sram'?)",
        ),
        (
            "technology: {table: cmos_44nm}",
            "technology.table: unknown technology table: 'cmos_44nm', allowed: ",
        ),
        ("technology: {table: cmos_44nm}", "cmos_45nm (did you mean 'cmos_45nm'?)"),
        ("technology: {node: 5 nm}", "technology.node: out of range: '5 nm', allowed: 7 nm..130 nm"),
        ("technology: {node: 45 pF}", "technology.node: unknown unit 'pF': '45 pF', allowed: 7 nm..130 nm"),
        ("sweep: [1]", "sweep: wrong type: [1], allowed: a mapping of dotted field: list of values"),
        ("sweep: {seed: [0, .inf]}", "sweep: not a finite number: inf"),
        ("name: twice", "name: duplicate key, first given on line 1"),
    ],
)
def test_a_fault_says_what_the_value_and_what_is_allowed(line: str, expected: str) -> None:
    found = fault(GOOD + line + "\n")
    assert found.startswith("my.yaml:6: ")
    assert expected in found


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("name: good\n", "", 1, "name: missing, it has no default, allowed: 1 to 100 letters"),
        (
            "name: good",
            "name: a b",
            1,
            "name: not a valid name: 'a b', allowed: 1 to 100 letters, digits, '_', '.' or '-'",
        ),
        ("name: good", "name: ''", 1, "name: not a valid name: ''"),
        ("name: good", f"name: {'x' * 101}", 1, "name: not a valid name: 'xxx"),
        ("name: good", "name: 2024", 1, "name: wrong type: 2024, allowed: 1 to 100 letters"),
        ("name: good", "name: 2024", 1, "(put it in quotes to make it text)"),
        ("  layers: [64, 100]\n", "", 3, "chip.layers: missing"),
        (
            "  memory_budget: 64 KiB\n",
            "",
            3,
            "chip.memory_budget: missing, it has no default, allowed: a size above 0",
        ),
        ("64 KiB", "256 KB", 5, "chip.memory_budget: unknown unit 'KB': '256 KB', allowed: a size above 0"),
        ("64 KiB", "256 KB", 5, "(did you mean 'kB' or 'KiB'?)"),
        ("64 KiB", "0", 5, "chip.memory_budget: out of range: 0"),
        ("64 KiB", "0.01 B", 5, "chip.memory_budget: out of range: '0.01 B'"),
        ("64 KiB", "-3 KiB", 5, "chip.memory_budget: out of range: '-3 KiB'"),
        ("64 KiB", "9 PiB", 5, "chip.memory_budget: out of range: '9 PiB'"),
        ("64 KiB", "true", 5, "chip.memory_budget: wrong type: true"),
        ("64 KiB", "null", 5, "chip.memory_budget: wrong type: null"),
        ("64 KiB", ".nan", 5, "chip.memory_budget: not a finite number: nan"),
        (
            "[64, 100]",
            "64",
            4,
            "chip.layers: wrong type: 64, allowed: a list of 2 or more integers, each 1..1000000",
        ),
        ("[64, 100]", "[64]", 4, "chip.layers: too few items: [64]"),
        ("[64, 100]", "[64, 0]", 4, "chip.layers[1]: out of range: 0, allowed: an integer 1..1000000"),
        ("[64, 100]", "[64, 1000001]", 4, "chip.layers[1]: out of range: 1000001"),
        ("[64, 100]", "[64, '9']", 4, "chip.layers[1]: wrong type: '9'"),
        ("[64, 100]", "\n    - 64\n    - 1.5", 6, "chip.layers[1]: wrong type: 1.5"),
        ("[64, 100]", "[784, 100]", 4, "chip.layers[0]: does not fit digits: 784 inputs, allowed: 64"),
        (
            "[64, 100]",
            "[64, 5]",
            4,
            "learning.winners: too many winners: 5, allowed: 1..4 (fewer than the 5 output",
        ),
        (
            "[64, 100]",
            "[64, 1]",
            4,
            "learning.winners: too many winners: 5, allowed: a chip of 2 or more output neurons",
        ),
        (
            "set: digits",
            "set: digit",
            2,
            "data.set: unknown data set: 'digit', allowed: digits, mnist, fashion_mnist, or "
            "the path of an .npz file (did you mean 'digits'?)",
        ),
        ("set: digits", "set: fashion-mnist", 2, "(did you mean 'fashion_mnist'?)"),
        (
            "set: digits",
            "set: cifar10",
            2,
            "'cifar10' cannot be loaded by name in this version: give your own .npz",
        ),
        (
            "set: digits",
            "set: digits, train: 1438",
            2,
            "data.train: more samples than digits has: 1438, allowed: 1..1437",
        ),
        (
            "set: digits",
            "set: digits, test: 361",
            2,
            "data.test: more samples than digits has: 361, allowed: 1..360",
        ),
        ("set: digits", "set: mnist", 4, "chip.layers[0]: does not fit mnist: 64 inputs, allowed: 784"),
        ("set: digits", "train: 3", 2, "data.set: missing, it has no default, allowed: digits, mnist"),
        (
            "data: {set: digits}",
            "data: digits",
            2,
            "data: wrong type: 'digits', allowed: a mapping of set, train, test",
        ),
    ],
)
def test_a_fault_stands_at_its_line(old: str, new: str, line: int, expected: str) -> None:
    found = fault(GOOD.replace(old, new))
    assert found.startswith(f"my.yaml:{line}: ")
    assert expected in found


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            "learning:\n  learning_rate: [0.1, 0.2]\n",
            "my.yaml:7: learning.learning_rate: wrong number of rates: 2, allowed: one "
            "number, or a list of 1 (one per weight layer)",
        ),
        ("learning:\n  winners: 100\n", "my.yaml:7: learning.winners: too many winners: 100, allowed: 1..99"),
        (
            "learning:\n  target: label\n",
            "my.yaml:4: chip.layers[1]: does not fit the classes of digits: 100 outputs, "
            "allowed: 10 (with learning.target: label)",
        ),
        ("readout:\n- direct\n- output\n", "my.yaml:8: readout[1]: 'output' needs learning.target: label"),
    ],
)
def test_fields_must_agree(extra: str, expected: str) -> None:
    assert fault(GOOD + extra).startswith(expected)


def test_all_faults_at_once_by_line_and_disagreements_among_what_is_sound() -> None:
    text = """\
name: bad name
data: {set: digits, train: 5000}
chip:
  layers: [64, 4]
  memory_budgt: 2 MiB
  weights: {bits: 99, roundng: floor}
learning: {winners: 4, beta: 0}
seed: 1
seed: 2
"""
    found = faults(text)
    heads = [":".join(line.split(":")[1:3]) for line in found]
    assert heads == [
        "1: name",
        "2: data.train",
        "3: chip.memory_budget",
        "5: chip.memory_budgt",
        "6: chip.weights.bits",
        "6: chip.weights.roundng",
        "7: learning.beta",
        "7: learning.winners",
        "9: seed",
    ]
    assert "did you mean 'memory_budget'?" in found[3]


def test_an_empty_section_lacks_what_has_no_default() -> None:
    found = faults("name: a\ndata: {set: digits}\nchip:\n")
    assert [line.partition(": missing")[0] for line in found] == [
        "my.yaml:3: chip.layers",
        "my.yaml:3: chip.memory_budget",
    ]


def test_nothing_is_concluded_from_what_is_broken() -> None:
    assert "chip.layers[1]" in fault(GOOD.replace("100]", "0]"))  # nothing about winners or classes as well
    assert "chip.layers" in fault(GOOD.replace("[64, 100]", "none") + "learning: {learning_rate: [.1, .1]}\n")
    assert "data.set" in fault(GOOD.replace("digits", "mnits"))
    assert "learning: wrong type" in fault(GOOD.replace("100", "3") + "learning: 3\n")


def test_a_fault_stays_on_one_short_line() -> None:
    found = faults(GOOD + f'"a\\nb\\u0007": 1\nepochs: "{"y" * 500}\\n"\n')
    assert found[0].startswith(r"my.yaml:6: 'a\nb\x07': unknown key")
    assert all("\n" not in line and len(line) < 250 for line in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "my.yaml:1: empty, allowed: a mapping of name, data"),
        ("# only a comment\n", "my.yaml:1: empty"),
        ("\n\n- 1\n", "my.yaml:3: wrong type: [1], allowed: a mapping of name"),
        ("just words\n", "my.yaml:1: wrong type: 'just words'"),
        ("name: a\ndata: {set: digits\n", "my.yaml:3: not readable as YAML: while parsing a flow mapping"),
        ("name: a\n\tdata: 3\n", "my.yaml:2: not readable as YAML"),
        ("name: a\n---\nname: b\n", "my.yaml:2: not readable as YAML: expected a single document"),
        ("name: a\nb: \x07\n", "my.yaml:2: a character that YAML does not allow: U+0007"),
        ("name: &n a\ndata: *n\n", "my.yaml:2: an alias, *n: aliases are not read"),
        ("name: &n [*n]\n", "my.yaml:1: an alias, *n"),
        ("name: a\nseed: !!int 3\n", "my.yaml:2: a tag, 'tag:yaml.org,2002:int': tags are not read"),
        ("name: !!python/object/apply:os.getcwd []\n", "my.yaml:1: a tag"),
        ("a: " + "[" * 21, "my.yaml:1: nested more than 20 levels deep"),
        ("a: " + "[" * 100_000, "my.yaml:1: nested more than 20 levels deep"),
        ('name: "\\UFFFFFFFF"\n', "my.yaml:1: not readable as YAML"),
        ("a" * (1 << 17) + "a", "my.yaml:1: longer than 131072 characters"),
    ],
)
def test_text_that_is_no_spec(text: str, expected: str) -> None:
    assert fault(text).startswith(expected)


def test_odd_keys_and_huge_numbers() -> None:
    assert "a key must be a word" in fault(GOOD + "? [1, 2]\n: 3\n")
    assert fault(GOOD + "1: 2\n").startswith("my.yaml:6: 1: unknown key")
    assert "not a finite number: inf" in fault(GOOD + "label_fraction: 1" + "0" * 5000 + "\n")
    assert "wrong type: -inf" in fault(GOOD + "epochs: -1" + "0" * 5000 + "\n")
    assert "out of range" in fault(GOOD + "epochs: 1" + "0" * 250 + "\n")


# ---------------------------------------------------------------- files


def test_a_file_and_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())  # as some editors write it
    assert load(str(file)) == loads(GOOD)
    file.write_text(GOOD + "epochs: 0\n")
    with pytest.raises(SpecError) as caught:
        load(str(file))
    assert caught.value.faults == [f"{file}:6: epochs: out of range: 0, allowed: an integer 1..100000"]
    assert caught.value.exit_code == 2


def test_what_is_no_file(tmp_path: Path) -> None:
    def text(name: str) -> str:
        with pytest.raises(SpecError) as caught:
            load(name)
        return str(caught.value)

    assert "no such file, and no shipped spec of this name" in text("quikstart")
    assert "(did you mean 'quickstart'?)" in text("quikstart")
    assert "did you mean" not in text(str(tmp_path / "zzzzzz"))
    assert text(str(tmp_path)) == f"{tmp_path}: a folder, allowed: a YAML file or the name of a shipped spec"
    assert "cannot be read" in text("a\0b")
    assert "cannot be read" in text("x" * 5000)
    assert text("").startswith("''")
    (tmp_path / "latin.yaml").write_bytes(b"name: a\nb: \xe9t\xe9\n")
    assert text(str(tmp_path / "latin.yaml")).endswith("latin.yaml:2: not UTF-8 text: byte 0xe9 at offset 11")
    (tmp_path / "image.yaml").write_bytes(bytes(range(256)) * 400)
    assert "image.yaml:2: not UTF-8 text" in text(str(tmp_path / "image.yaml"))
    (tmp_path / "image.yaml").write_bytes(bytes(range(256)) * 40_000)
    assert "cannot be read: 10240000 bytes, allowed: at most 524288" in text(str(tmp_path / "image.yaml"))


def test_a_bare_word_means_the_shipped_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quickstart").write_text(GOOD)
    assert load("quickstart").name == "quickstart"
    assert load("./quickstart").name == "good"


# ---------------------------------------------------------------- shipped specs


def test_the_shipped_specs() -> None:
    names = [name for name, _ in shipped()]
    assert {"quickstart", "mnist_edge", "mnist_1layer", "mnist_1layer_16bit", "mnist_2layer"} < set(names)
    assert "mnist_supervised" in names
    for name, description in shipped():
        assert 10 < len(description) <= 100 and not description.startswith("#")
        assert load(name).name == name


@pytest.mark.parametrize("name", [name for name, _ in shipped()])
def test_a_shipped_spec_survives_every_way_out_and_back(name: str) -> None:
    spec = load(name)
    plain = spec.plain()
    assert Spec.from_plain(json.loads(json.dumps(plain))) == spec
    assert Spec.from_plain(plain).plain() == plain
    assert loads(to_yaml(plain, {"chip": "a note"})) == spec


def test_the_facts_of_the_digits_are_those_of_the_installed_data() -> None:
    digits = importlib.import_module("sklearn.datasets").load_digits()
    assert digits.data.shape == (SETS["digits"].train + SETS["digits"].test, SETS["digits"].inputs)
    assert len(digits.target_names) == SETS["digits"].classes


# ---------------------------------------------------------------- overrides


def test_overrides() -> None:
    overrides = [
        "chip.layers=[64, 30]",
        "chip.memory_budget=1MiB",
        "learning.winners = 3",
        "data.train=5",
        "data.train=",
    ]
    spec = loads(GOOD, overrides=overrides)
    assert spec.chip.layers == (64, 30)
    assert spec.chip.memory_budget == 2**23
    assert spec.learning.winners == 3
    assert spec.data.train is None  # the last one counts, and nothing is null
    assert loads(GOOD, overrides=["learning.schedule={kind: constant}"]).learning.schedule.kind == "constant"
    assert load("quickstart", ["seed=7"]).seed == 7


def test_an_override_can_mend_the_file() -> None:
    assert loads(GOOD.replace("[64, 100]", "[64]"), overrides=["chip.layers=[64,100]"]) == loads(GOOD)
    assert loads(GOOD.replace("name: good\n", ""), overrides=["name=good"]) == loads(GOOD)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("chip.layrs=3", "--set chip.layrs: unknown key, allowed: layers, style"),
        ("chip.layrs=3", "(did you mean 'chip.layers'?)"),
        ("chp.layers=3", "--set chp.layers: unknown key"),
        ("chp.layers=3", "(did you mean 'chip.layers'?)"),
        ("winners=3", "(did you mean learning.winners?)"),
        ("epochs.x=3", "--set epochs.x: epochs is a value, not a mapping: set it whole"),
        ("chip.layers.0=3", "--set chip.layers.0: chip.layers is a value, not a mapping: set it whole"),
        ("chip.=3", "--set chip.'': unknown key"),
        ("epochs", "--set 'epochs': not KEY=VALUE, allowed: for example epochs=5"),
        ("=3", "--set '=3': not KEY=VALUE"),
        ("", "--set '': not KEY=VALUE"),
        ("epochs=three", "--set epochs: wrong type: 'three', allowed: an integer 1..100000"),
        ("epochs=.nan", "--set epochs: wrong type: nan"),
        ("epochs=[3", "--set epochs: not readable as YAML"),
        ("learning={beta: 1, beta: 2}", "--set learning: learning.beta: duplicate key"),
        (
            "chip.layers=[64, 0]",
            "--set chip.layers: chip.layers[1]: out of range: 0, allowed: an integer 1..1000000",
        ),
        ("chip.weights=3", "--set chip.weights: wrong type: 3, allowed: a mapping of bits"),
        ("chip.weights={bit: 3}", "--set chip.weights: chip.weights.bit: unknown key, allowed: bits"),
        ("learning.winners=100", "--set learning.winners: too many winners: 100, allowed: 1..99"),
        ("chip.layers=[64, 4]", "--set chip.layers: learning.winners: too many winners: 5, allowed: 1..3"),
        ("chip.memory_budget=1 KB", "--set chip.memory_budget: unknown unit 'KB': '1 KB'"),
    ],
)
def test_faults_of_overrides(override: str, expected: str) -> None:
    assert expected in fault(GOOD, override)


def test_faults_of_file_and_overrides_come_together() -> None:
    found = faults(GOOD + "epochs: 0\n", "seed=-1", "sed=1", "learning.beta=x")
    assert [line.split(": ")[0] for line in found] == [
        "my.yaml:6",
        "--set learning.beta",
        "--set seed",
        "--set sed",
    ]


def test_an_override_below_a_broken_section_does_not_hide_it() -> None:
    assert fault(GOOD + "learning: 3\n", "learning.beta=1").startswith("my.yaml:6: learning: wrong type: 3")


# ---------------------------------------------------------------- plain data, hash, YAML out


def test_plain_data_are_in_base_units_and_json_ready() -> None:
    plain = loads(GOOD, overrides=["technology.node=65 nm"]).plain()
    assert plain["chip"]["memory_budget"] == 64 * 1024 * 8
    assert plain["chip"]["clock"] == 100e6
    assert plain["technology"]["node"] == 65.0
    assert plain["chip"]["layers"] == [64, 100]
    assert "sweep" not in plain
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_plain_data_are_checked_too() -> None:
    plain = loads(GOOD).plain()
    plain["chip"]["layers"] = [63, 100]
    plain["epochs"] = float("nan")
    with pytest.raises(SpecError) as caught:
        Spec.from_plain(plain)
    assert caught.value.faults == [
        "plain spec: chip.layers[0]: does not fit digits: 63 inputs, allowed: 64",
        "plain spec: epochs: wrong type: nan, allowed: an integer 1..100000",
    ]
    with pytest.raises(SpecError, match="plain spec: name: wrong type: a value of type set, allowed"):
        Spec.from_plain({**loads(GOOD).plain(), "name": {1}})
    for odd in ({1: 2}, {}, [1], None):
        with pytest.raises(SpecError, match="plain spec"):
            Spec.from_plain(odd)  # type: ignore[arg-type]


def test_the_hash_is_of_what_is_described() -> None:
    plain = loads(GOOD).plain()
    digest = spec_hash(plain)
    assert len(digest) == 16 and int(digest, 16) >= 0

    def reversed_keys(tree: Any) -> Any:
        return {k: reversed_keys(tree[k]) for k in reversed(tree)} if isinstance(tree, dict) else tree

    assert spec_hash(reversed_keys(plain)) == digest
    assert spec_hash(json.loads(json.dumps(plain).replace("100000000.0", "100000000"))) == digest
    assert spec_hash({**plain, "name": "other", "seed": 9, "sweep": {"seed": [1]}}) == digest
    for override in (
        "epochs=11",
        "learning.beta=0.5",
        "chip.weights.bits=7",
        "data.train=9",
        "technology.node=32",
    ):
        assert spec_hash(loads(GOOD, overrides=[override]).plain()) != digest


def test_the_hash_is_the_same_on_every_machine() -> None:
    # sha256sum of {"a":{"c":true,"d":"\u00e9"},"b":[1,2.5,null]}
    plain = {"name": "x", "seed": 1, "b": [1, 2.5, None], "a": {"c": True, "d": "é"}}
    assert spec_hash(plain) == "3eb13c6cca661325"


def test_yaml_out_has_aligned_notes_and_reads_back() -> None:
    spec = loads(GOOD, overrides=["sweep={seed: [0, 1], learning.learning_rate: [[.1], [1e-5]]}"])
    text = to_yaml(
        spec.plain(), {"learning.beta": "1/4 is held", "chip.clock": "10 ns\na cycle", "chip": "#1"}
    )
    lines = text.splitlines()
    noted = [line for line in lines if "  # " in line]
    assert len(noted) == 3 and len({line.index("  # ") for line in noted}) == 1
    assert next(line for line in noted if "beta: 0.25" in line).endswith("  # 1/4 is held")
    assert next(line for line in noted if "clock" in line).split() == [
        "clock:",
        "100",
        "MHz",
        "#",
        r"10",
        r"ns\na",
        "cycle",
    ]
    assert "  memory_budget: 64 KiB" in lines
    assert "learning.learning_rate: [[0.1], [1.0e-05]]" in text
    assert loads(text) == spec


def test_yaml_out_reads_the_same_in_another_reader() -> None:
    plain = load(
        "mnist_supervised", ["sweep={a: [1e-7, 1e22, 'no', '1e3', '~', 'x: y', '12:30:00', null, 2]}"]
    ).plain()
    other = yaml.safe_load(to_yaml(plain))
    quantities = copy.deepcopy(plain)
    quantities["chip"]["memory_budget"] = "1 MiB"
    quantities["chip"]["clock"] = "100 MHz"
    assert other == quantities


@pytest.mark.parametrize(
    "word", ["é \U0001f600", "\ud800", "a\nb", 'q"\\', " lead", "\x85\u2028\ufeff", "#c", "-", "", "!t"]
)
def test_any_text_survives_the_yaml(word: str) -> None:
    plain = loads(GOOD.replace("digits", "x.npz")).plain()
    plain["data"]["set"] = word + ".npz"
    plain["sweep"] = {word + "k": [word, {word: word}]}
    text = to_yaml(plain)
    text.encode("ascii")
    assert loads(text) == Spec.from_plain(plain)


def test_odd_quantities_survive_the_yaml() -> None:
    for override in (
        "chip.memory_budget=1001 bit",
        "chip.clock=1.5",
        "chip.clock=33.333333 MHz",
        "technology.node=22.5",
    ):
        spec = loads(GOOD, overrides=[override])
        assert loads(to_yaml(spec.plain())) == spec


def test_a_note_must_have_a_place() -> None:
    with pytest.raises(ValueError, match=r"learning\.betta"):
        to_yaml(loads(GOOD).plain(), {"learning.betta": "x"})


# --- faults of a device stand at the field that holds the value


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["device.array.slices=8", "device.array.bits_per_cell=7"],
            ["--set device.array.bits_per_cell: 7 in 8 slices are 56 bits a weight, allowed: 1 with so many slices"],
        ),
        (
            ["device.array.slices=4", "device.array.bits_per_cell=4"],
            ["--set device.array.bits_per_cell: 4 in 4 slices are 16 bits a weight, allowed: 1..3 with so many slices"],
        ),
        (
            ["device.off=cycle_to_cycle"],
            ["--set device.off: wrong type: 'cycle_to_cycle', allowed: a list of non-idealities, such as [cycle_to_c"],
        ),
        (["device.off=[cycle_to_cycl]"], ["--set device.off: unknown non-ideality of EcRam 'cycle_to_cycl' (did you"]),
        (
            ["deployment.times='1 h'"],
            ["--set deployment.times: wrong type: '1 h', allowed: a list of up to 50 times, each 0 s..3000 years, su"],
        ),
        (
            ["device.parameters={dw_min: -1}"],
            ["--set device.parameters: device.parameters.dw_min: -1 is out of range, allowed: at least 0"],
        ),
        (
            ["device.parameters={dw_min: -1, w_min: 1}"],
            [
                "--set device.parameters: device.parameters.dw_min: -1 is out of range, allowed: at least 0",
                "--set device.parameters: device.parameters.w_min: 1 is out of range",
            ],
        ),
        (["device.parameters.dw_min=abc"], ["--set device.parameters.dw_min: 'abc' is not a number followed by a"]),
        (
            ["device.parameters={dw_mim: 1}"],
            ["--set device.parameters: device.parameters.dw_mim: unknown parameter 'dw_mim' (did you mean 'dw_min'?)"],
        ),
        (
            ["device.parameters={stuck_at: 0.1}"],
            ["--set device.parameters: device.parameters.stuck_at: 0.1, allowed: a mapping of its parameters (lrs_f"],
        ),
        (
            ["device.parameters={stuck_at: {hrs_fraction: 3}}"],
            ["--set device.parameters: device.parameters.stuck_at.hrs_fraction: 3 is out of range, allowed: 0 to 1"],
        ),
    ],
)
def test_faults_of_a_device_are_placed(overrides: list[str], told: list[str]) -> None:
    with pytest.raises(SpecError) as error:
        loads(DIGITAL, overrides=["device.model=EcRam", *overrides])
    assert len(error.value.faults) == len(told)
    for line, start in zip(error.value.faults, told, strict=True):
        assert line.startswith(start) and "presets/" not in line and "\n" not in line


# --- a device that was forgotten

DIGITAL = "{name: x, data: {set: digits}, chip: {layers: [64, 20], memory_budget: 8 KiB}, learning: {winners: 2}}"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("device.off=[foo]", "device.off[0]: 'foo': sram weights are digital and have no non-ideality, allowed: an"),
        ("device.parameters={dw_min: 0.1}", "device.parameters.dw_min: 0.1: sram weights are digital"),
        ("device.parameters.dw_min=0.1", "device.parameters.dw_min: 0.1: sram weights are digital"),
    ],
)
def test_settings_of_a_cell_without_a_cell_are_refused(override: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        loads(DIGITAL, overrides=[override])
    assert told in str(error.value) and len(error.value.faults) == 1
    assert str(error.value).endswith("allowed: an analog device.model (did you forget it?)")


@pytest.mark.parametrize("sweep", ["{device.model: [EcRam]}", "{parameters: {device.model: [EcRam]}}"])
def test_a_sweep_may_choose_the_device(sweep: str) -> None:
    loads(DIGITAL, overrides=["device.off=[cycle_to_cycle]", f"sweep={sweep}"])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([], []),
        (["device.array.adc_bits=9"], []),
        (["device.array.adc_bits=5", "device.array.slices=2"], ["device.array.slices, device.array.adc_bits: no eff"]),
        (["device.model=EcRam"], []),
        (["device.model=EcRam", "device.array.read_noise_sd=0.1"], ["device.array.read_noise_sd: 0.1: no effect with"]),
        (["device.model=EcRam", "device.array.read_noise=additive"], ["read_noise: additive: no effect with"]),
        (["device.model=EcRam", "device.array.read_noise=additive", "device.array.read_noise_sd=0.1"], []),
    ],
)
def test_what_has_no_effect_is_said(fields: list[str], told: list[str]) -> None:
    found = unused.settings(loads(DIGITAL, overrides=fields))
    assert len(found) == len(told) and all(words in line for words, line in zip(told, found, strict=True))
