"""The command line at every level: help where no command is given, and did-you-mean for commands, options, choices."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import pytest

from edgesdt.cli.arguments import Parser
from edgesdt.cli.main import parser
from edgesdt.cli.spec_arguments import spec_of
from tests.conftest import Said

Cli = Callable[..., Said]


def levels(level: Parser, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Parser]]:
    """Every parser of the command line with the words that lead to it."""
    yield above, level
    for name, inner in commands(level).items():
        yield from levels(inner, (*above, name))


def commands(level: Parser) -> dict[str, Parser]:
    """The commands of one level."""
    found = (action for action in level._actions if isinstance(action, argparse._SubParsersAction))
    return {name: inner for action in found for name, inner in action.choices.items()}


EVERY = list(levels(parser()))
GROUPS = [(words, level) for words, level in EVERY if commands(level)]
COMMANDS = [(words, name) for words, level in GROUPS for name in commands(level)]
OPTIONS = [(words, option) for words, level in EVERY for option in level.options() if len(option) > 5]
CHOICES = [
    (words, action.option_strings[0], str(choice))
    for words, level in EVERY
    for action in level._actions
    if action.option_strings and action.choices
    for choice in action.choices
]


def slip(word: str) -> str:
    """The word with two letters exchanged: no word of the command line, nor the beginning of one."""
    return word[:-3] + word[-2] + word[-3] + word[-1] if word[-3] != word[-2] else word[:-2] + word[-1]


@pytest.mark.parametrize("words", [words for words, _ in GROUPS])
def test_a_bare_command_prints_its_help_and_is_bad_input(words: tuple[str, ...], cli: Cli) -> None:
    said = cli(*words).refused(*commands(dict(EVERY)[words]))
    assert said.err.startswith(f"usage: {' '.join(('edgesdt', *words))} ")
    assert said.err == cli(*words, "--help").out


@pytest.mark.parametrize(("words", "name"), COMMANDS)
def test_a_slip_in_a_command_is_guessed(words: tuple[str, ...], name: str, cli: Cli) -> None:
    told = cli(*words, slip(name)).refused(f"invalid choice: {slip(name)!r}, allowed: ").err
    assert f"(did you mean {name!r}?)" in told and told.count("\n") == 1


def test_the_slip_of_the_issue(cli: Cli) -> None:
    cli("rn").refused("edgesdt: argument COMMAND: invalid choice: 'rn', allowed: run, ", "(did you mean 'run'?)")
    assert "did you mean" not in cli("fly").refused("invalid choice: 'fly'").err


@pytest.mark.parametrize(("words", "option"), OPTIONS)
def test_a_slip_in_an_option_is_guessed(words: tuple[str, ...], option: str, cli: Cli) -> None:
    level = dict(EVERY)[words]
    needed = [action for action in level._actions if action.required and not commands(level)]
    given = [word for action in needed for word in (*action.option_strings[:1], "x")]
    said = cli(*words, *given, slip(option)).refused(f"unrecognized arguments: {slip(option)}")
    assert said.err.startswith(f"{' '.join(('edgesdt', *words))}: ") and said.err.count("\n") == 1
    assert f"(did you mean {option!r}?)" in said.err


@pytest.mark.parametrize(("words", "option", "choice"), CHOICES)
def test_a_slip_in_a_choice_is_guessed(words: tuple[str, ...], option: str, choice: str, cli: Cli) -> None:
    cli(*words, option, choice + "n").refused(f"argument {option}: invalid choice: ", f"(did you mean {choice!r}?)")


def test_an_option_at_the_wrong_level(cli: Cli) -> None:
    cli("specs", "--debug").refused("unrecognized arguments: --debug (--debug goes right after 'edgesdt')")
    cli("--sed", "3", "run", "x").refused("edgesdt: unrecognized arguments: --sed")
    cli("--seed=3", "run", "x").refused("edgesdt: unrecognized arguments: --seed=3 (options of a command go after it)")


@pytest.mark.parametrize(
    ("words", "seed"),
    [
        (["--seed", "1", "--set", "seed=2"], 2), (["--set", "seed=2", "--seed", "1"], 1), (["--seed", "1"], 1),
        (["--seed", "1", "--seed", "3"], 3), (["--set", "seed=2", "--set", "seed=5"], 5), ([], 0),
    ],
)  # fmt: skip
def test_of_a_seed_and_a_field_the_last_on_the_line_counts(words: list[str], seed: int) -> None:
    assert spec_of(parser().parse_args(["run", "quickstart", *words])).seed == seed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "quickstart", "--ablate", "--seeds", "-1,2"], "argument --seeds: '-1,2': '-1' is no seed, allowed: "),
        (["run", "quickstart", "--ablate", "--seeds", "1,1"], "argument --seeds: '1,1': 1 twice, allowed: different"),
        (["run", "quickstart", "--ablate", "--seeds", "1,2", "--set", "seed=4"], "allowed: --set seed=N or --seeds"),
        (["check", "quickstart", "--set", "readout=linear"], "each once (did you mean [linear]?)"),
        (["check", "quickstart", "--set", "readout=liner"], "(did you mean [linear]?)"),
        (["check", "quickstart", "--set", "device.off=adc"], "(did you mean [adc]?)"),
        (["check", "quickstart", "--set", "learnin.winners=3"], "(did you mean 'learning.winners'?)"),
        (["check", "quickstart", "--set", "learning.hidden=3"], "beta, beta_sign, dt, free_steps, nudged_steps\n"),
        (["check", "mnist_backprop", "--set", "learning.hidden=3"], "loss, activation, errors (did you mean learn"),
    ],
)  # fmt: skip
def test_a_fault_names_what_is_allowed_and_what_is_nearest(words: list[str], told: str, cli: Cli) -> None:
    cli(*words).refused(told)
