"""The folder of a run: whose it is, what is in the way, checkpoints whole or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgesdt.errors import EdgesdtError, RunError
from edgesdt.runs.experiment import run
from edgesdt.runs.folder import RunFolder
from edgesdt.spec import Spec, load, loads
from tests.conftest import SMALL, Finished

SPEC = loads(SMALL)


def test_a_new_folder_is_made_claimed_and_described(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    with RunFolder(out, SPEC) as folder:
        assert folder.path == out
        assert folder.load_checkpoint() is None
    assert load(str(out / "spec.yaml")) == SPEC
    with RunFolder(out, SPEC):
        pass


@pytest.mark.parametrize(
    "override", ["seed=1", "epochs=4", "chip.weights.bits=7", "technology.table=cmos_40nm_aladdin"]
)
def test_another_spec_or_seed_is_refused(override: str, tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", SPEC):
        pass
    with pytest.raises(EdgesdtError, match=r"holds the run of another spec or seed .*choose another --out") as caught:
        RunFolder(tmp_path / "run", loads(SMALL, overrides=[override]))
    assert caught.value.exit_code == 2
    with RunFolder(tmp_path / "run", SPEC):
        pass


def test_the_name_does_not_make_another_spec(tmp_path: Path) -> None:
    for spec in (SPEC, loads(SMALL, overrides=["name=other"])):
        with RunFolder(tmp_path / "run", spec):
            pass


def test_what_is_not_a_run_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.tex").write_text("all my work")
    with pytest.raises(EdgesdtError, match="holds something that is not an edgesdt run; choose another --out"):
        RunFolder(out, SPEC)
    assert [p.name for p in out.iterdir()] == ["chapter.tex"]


def test_an_empty_folder_and_one_that_was_killed_while_it_was_claimed_are_taken(tmp_path: Path) -> None:
    for name, left in (("empty", []), ("locked", [".lock"]), ("half", [".lock", ".run.json.0a1b2c3d"])):
        out = tmp_path / name
        out.mkdir()
        for file in left:
            (out / file).touch()
        with RunFolder(out, SPEC):
            pass
        assert load(str(out / "spec.yaml")) == SPEC
    (out / "spec.yaml").unlink()  # killed between the two
    with RunFolder(out, SPEC):
        pass
    assert load(str(out / "spec.yaml")) == SPEC


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "{}", '{"spec_hash": 1}', "\xff"])
def test_a_damaged_owner_is_not_overwritten(content: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "run.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(EdgesdtError, match=r"another spec or seed .*unreadable"):
        RunFolder(out, SPEC)
    assert (out / "run.json").read_bytes() == content.encode("latin-1")


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[list[Path]]:
    """Places where no folder can be, for any user; and one where none can be made by users other than root."""
    (tmp_path / "file").write_text("in the way")
    readonly = tmp_path / "readonly"
    readonly.mkdir()
    readonly.chmod(0o500)
    places = [tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("n" * 300)]
    try:
        (readonly / "probe").mkdir()
        (readonly / "probe").rmdir()
    except PermissionError:
        places += [readonly, readonly / "below"]
    yield places
    readonly.chmod(0o700)


def test_a_place_that_cannot_be_written_is_bad_input(unwritable: list[Path]) -> None:
    for place in unwritable:
        with pytest.raises(EdgesdtError, match="not a folder that can be written: ") as caught:
            RunFolder(place, SPEC)
        assert str(caught.value).startswith(f"{place}: ")
        assert caught.value.exit_code == 2


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", SPEC):
        with pytest.raises(RunError, match="another process is running here") as caught:
            RunFolder(tmp_path / "run", SPEC)
        assert caught.value.exit_code == 1
    with RunFolder(tmp_path / "run", SPEC):
        pass


def test_a_refused_folder_is_not_kept_locked(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", SPEC):
        pass
    with pytest.raises(EdgesdtError):
        RunFolder(tmp_path / "run", loads(SMALL, overrides=["seed=1"]))
    with RunFolder(tmp_path / "run", SPEC):
        pass


def test_the_log_has_a_line_with_its_time_for_each(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", SPEC) as folder:
        folder.log("one")
        folder.log("zwei µ")
    with RunFolder(tmp_path / "run", SPEC) as folder:
        folder.log("three")
    lines = (tmp_path / "run" / "log.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["one", "zwei µ", "three"]
    assert all(line[10] == "T" and line[19] == "Z" for line in lines)


# --- checkpoints

ARRAYS: dict[str, npt.NDArray[Any]] = {
    "weights": np.resize(np.arange(-90, 90, dtype=np.int8), 1000),
    "bank": np.arange(40, dtype=np.uint32) * 77_777_777,
}


def test_a_checkpoint_is_kept_until_it_is_dropped(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", SPEC) as folder:
        folder.save_checkpoint(ARRAYS, {"epochs_done": 1})
        folder.save_checkpoint(ARRAYS, {"epochs_done": 2, "curve": [{"direct_average": 0.5}]})
        (folder.path / ".checkpoint.npz.01234567").write_bytes(b"killed while writing")
        kept = folder.load_checkpoint()
        assert kept is not None
        arrays, progress = kept
        assert progress == {"epochs_done": 2, "curve": [{"direct_average": 0.5}]}
        assert arrays.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(arrays[name], array)
        folder.drop_checkpoint()
        folder.drop_checkpoint()
        assert folder.load_checkpoint() is None
        assert {p.name for p in folder.path.iterdir()} == {".lock", "run.json", "spec.yaml"}


def test_a_damaged_checkpoint_is_told_wherever_the_damage_is(tmp_path: Path) -> None:
    """Truncated anywhere, and with any byte changed: whole, or refused; nothing else."""
    rng = np.random.default_rng(0)
    with RunFolder(tmp_path / "run", SPEC) as folder:
        folder.save_checkpoint(ARRAYS, {"epochs_done": 1})
        path = folder.path / "checkpoint.npz"
        sound = path.read_bytes()
        damaged = [sound[:cut] for cut in range(0, len(sound), 97)]
        for at in range(0, len(sound), 3):
            spoilt = bytearray(sound)
            spoilt[at] ^= int(rng.integers(1, 256))
            damaged.append(bytes(spoilt))
        refused = 0
        for content in damaged:
            path.write_bytes(content)
            try:
                arrays, progress = folder.load_checkpoint() or ({}, {})
            except EdgesdtError as error:
                assert str(error).startswith(f"{path}: damaged checkpoint (")
                assert str(error).endswith("delete the folder to start again")
                assert error.exit_code == 2
                refused += 1
                continue
            assert progress == {"epochs_done": 1}
            for name in arrays.keys() & ARRAYS.keys():
                np.testing.assert_array_equal(arrays[name], ARRAYS[name])
        assert refused > len(damaged) / 2


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `SMALL` that stopped after its first epoch."""
    folder = tmp_path_factory.mktemp("unfinished") / "run"

    def stop(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(SPEC, folder, say=stop)
    assert (folder / "checkpoint.npz").exists() and not (folder / "record.json").exists()
    return folder


def copied(folder: Path, to: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(folder, to / "run"))


def test_checkpoints_may_be_far_apart_and_a_watcher_sees_every_epoch(tmp_path: Path) -> None:
    seen: list[int] = []

    def stop(curve: list[dict[str, Any]]) -> None:
        seen.append(len(curve))
        if len(curve) == 2:
            raise KeyboardInterrupt

    for apart_s, kept in ((3600.0, False), (0.0, True)):
        folder = tmp_path / str(kept)
        with pytest.raises(KeyboardInterrupt):
            run(SPEC, folder, watch=stop, apart_s=apart_s)
        assert (folder / "checkpoint.npz").exists() == kept
    assert seen == [1, 2, 1, 2]
    told: list[str] = []
    late, early = (run(SPEC, tmp_path / name, say=told.append, apart_s=3600.0) for name in ("False", "True"))
    assert told[0].startswith("untrained ") and "going on after epoch 2 of 3" in told
    assert late["accuracy"] == early["accuracy"] and late["counts"] == early["counts"]


def test_an_unfinished_run_goes_on(unfinished: Path, finished: Finished, tmp_path: Path) -> None:
    told: list[str] = []
    made = run(SPEC, copied(unfinished, tmp_path), say=told.append)
    assert told[0] == "going on after epoch 1 of 3"
    assert [line.split()[1] for line in told[1:-1]] == ["2/3", "3/3"]
    plain = run(SPEC, tmp_path / "plain")
    for part in ("accuracy", "counts", "energy_j", "memory"):
        assert made[part] == plain[part]
    assert made["counts"] == finished.record["counts"]


@pytest.mark.parametrize("spoil", ["lost array", "other shape", "other type", "unknown progress", "cut", "stored text"])
def test_a_checkpoint_that_does_not_fit_is_refused_and_kept(spoil: str, unfinished: Path, tmp_path: Path) -> None:
    folder = copied(unfinished, tmp_path)
    path = folder / "checkpoint.npz"
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    if spoil == "lost array":
        del arrays["chip_weights"]
    elif spoil == "other shape":
        arrays["chip_weights"] = arrays["chip_weights"][:-1]
    elif spoil == "other type":
        arrays["chip_weights"] = arrays["chip_weights"].astype(np.int16)
    elif spoil == "unknown progress":
        arrays["progress"] = np.array(json.dumps({"epochs": 1}))
    elif spoil == "stored text":
        arrays["progress"] = np.array("no JSON")
    np.savez(path, **arrays)
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    before = path.read_bytes()
    with pytest.raises(EdgesdtError, match=r"checkpoint\.npz: damaged checkpoint \(.*\); delete the folder"):
        run(SPEC, folder)
    assert path.read_bytes() == before
    assert not (folder / "record.json").exists()


# --- finished runs


def test_a_finished_run_is_shown_and_not_run_again(finished: Finished, tmp_path: Path) -> None:
    folder = copied(finished.folder, tmp_path)
    assert {p.name for p in folder.iterdir()} == {
        ".lock", "run.json", "spec.yaml", "log.txt", "record.json", "weights.npz", "report.html",
    }  # fmt: skip
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    told: list[str] = []
    again = run(described(finished), folder, say=told.append)
    assert again == finished.record
    assert told == [f"{folder}: this run is finished; its record is shown (delete the folder to run it again)"]
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def described(finished: Finished) -> Spec:
    """The spec of the finished run."""
    return Spec.from_plain(finished.record["spec"])


def test_a_run_that_was_killed_over_its_report_gets_one(finished: Finished, tmp_path: Path) -> None:
    folder = copied(finished.folder, tmp_path)
    sound = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    (folder / "checkpoint.npz").write_bytes(b"not yet dropped")
    assert run(described(finished), folder) == finished.record
    assert (folder / "report.html").read_bytes() == sound
    assert not (folder / "checkpoint.npz").exists()


def test_a_damaged_record_is_told_and_kept(finished: Finished, tmp_path: Path) -> None:
    folder = copied(finished.folder, tmp_path)
    (folder / "record.json").write_text('{"schema": 1')
    with pytest.raises(EdgesdtError, match=r"record\.json: no readable record"):
        run(described(finished), folder)
    assert (folder / "record.json").read_text() == '{"schema": 1'


def test_weights_are_the_chips_codes_with_their_formats(finished: Finished) -> None:
    with np.load(finished.folder / "weights.npz", allow_pickle=False) as file:
        kept = dict(file)
    assert kept["weights_0"].shape == (64, 40) and kept["weights_0"].dtype == np.int8
    assert kept["biases_1"].shape == (40,)
    assert kept["activity"].shape == kept["homeostasis"].shape == (40,)
    assert kept["random_bank"].shape == (32,)
    assert (int(kept["weights_frac_bits"]), int(kept["biases_frac_bits"])) == (9, 12)
    assert kept["image_shape"].tolist() == [8, 8]
