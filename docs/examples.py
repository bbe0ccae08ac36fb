"""Runs the examples of the pages: finds their code blocks, runs them, and updates the shown output.

`python -m docs.examples` rewrites the shown output of every page from a real run; `tests/docs` compares pages with it.
`CONTRIBUTING.md` describes each kind of block.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ("yaml", "toml", "python")
ANY = "..."  # in shown output: any lines, or any text within a line

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_NUMBER = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?: ?(?:[fpnµmkMG]?[JsWB]|[KM]iB|bit|mm²)\b)?")
_HASH = re.compile(r"\b[0-9a-f]{16}\b")
_COMPILING = ("compiling the kernels, once for", "compiled in ", "pulse 1 of ")  # the last where that takes long
_ASSIGNMENT = re.compile(r"\w+=")
_SAVED = re.compile(r"# ([\w-]+\.(?:yaml|toml|py))(, continued)?\b[^\n]*\n")


class Mismatch(AssertionError):
    """A block that failed, or whose output is not what the page shows."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, text, the first line of its text, and the position of its text."""

    page: Path
    language: str
    text: str
    line: int
    span: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page}:{self.line}"


def pages() -> list[Path]:
    """README, CONTRIBUTING, CHANGELOG and every page below docs, by path."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [page for page in (*top, *sorted((ROOT / "docs").rglob("*.md"))) if page.exists()]


def blocks(page: Path, text: str | None = None) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8") if text is None else text
    return [
        Block(page, found[1], found[2], text.count("\n", 0, found.start(2)) + 1, found.span(2))
        for found in _FENCE.finditer(text)
    ]


def shell_lines(block: Block) -> list[str]:
    """The commands of a `bash` or `console` block (in `console`, the lines after `$ `), continuations joined."""
    if block.language not in ("bash", "console"):
        return []
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip()]


def edgesdt_commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every `edgesdt …` command that a page shows, in blocks and in running text."""
    text = page.read_text(encoding="utf-8")
    spans = re.findall(r"(?<!`)`(edgesdt [^`\n]+)`(?!`)", _FENCE.sub("", text))
    for line in (*(line for block in blocks(page, text) for line in shell_lines(block)), *spans):
        command: list[str] = []
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
        lexer.whitespace_split = True
        for word in (*lexer, ";"):
            if not set(word) <= set("&|;"):
                command.append(word)
                continue
            while command and _ASSIGNMENT.match(command[0]):
                del command[0]
            if command and Path(command[0]).name == "edgesdt":
                yield command[1:]
            command = []


def aligned(shown: str, actual: str) -> list[str] | None:
    """The actual line for each shown one; None if they differ by more than numbers.

    A line `...` stands for any lines and `...` inside a line for any text; both are kept as shown.
    """
    lines = actual.splitlines()
    # compiling happens once on a machine, and most pages are not about it
    if not any(line.startswith(_COMPILING) for line in shown.splitlines()):
        lines = [line for line in lines if not line.startswith(_COMPILING)]
    return _aligned(shown.splitlines(), lines)


def _aligned(shown: list[str], actual: list[str]) -> list[str] | None:
    if not shown:
        return None if actual else []
    if shown[0].strip() == ANY:
        for skipped in range(len(actual) + 1):
            rest = _aligned(shown[1:], actual[skipped:])
            if rest is not None:
                return [shown[0], *rest]
        return None
    if not actual or not re.fullmatch(_pattern(shown[0]), _skeleton(actual[0])):
        return None
    rest = _aligned(shown[1:], actual[1:])
    return None if rest is None else [shown[0] if ANY in shown[0] else actual[0].rstrip(), *rest]


def _pattern(shown: str) -> str:
    return ".*".join(re.escape(_skeleton(part)) for part in shown.split(ANY))


def _skeleton(line: str) -> str:
    """A line without parts that may differ between versions: numbers with their units, hashes, width of columns."""
    return " ".join(_NUMBER.sub("#", _HASH.sub("#", line)).split())


class Session:
    """The folder and the Python names that the blocks of one page share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.site = folder / "site"
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.status = 0

    def shell(self, command: str) -> str:
        """The output of `command`, both streams as on a terminal; `$?` is the status of the previous command.

        `edgesdt` is called in this process, by the function of its console script, because starting a process for each
        line would take too long.
        """
        words = shlex.split(command, comments=True)
        if words[:1] == ["edgesdt"]:
            return self.edgesdt(words[1:])
        if words[:2] == ["pip", "install"]:
            return self.install(words[2:])
        done = subprocess.run(
            ["bash", "-c", f"(exit {self.status}); {command}"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", check=False,
        )  # fmt: skip
        self.status = done.returncode
        return done.stdout

    def edgesdt(self, arguments: list[str]) -> str:
        """The output of `edgesdt` with these arguments."""
        from edgesdt.cli.main import main

        with self._here() as printed, contextlib.redirect_stderr(printed):
            try:
                self.status = main(arguments)
            except SystemExit as ending:  # argparse
                self.status = int(ending.code or 0)
        return printed.getvalue()

    def install(self, packages: list[str]) -> str:
        """Installs packages of the page with pip, without a network, in a folder that only the commands of this page
        use."""
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        pip += ["--disable-pip-version-check", "--no-warn-script-location", "--upgrade", "--target", str(self.site)]
        done = subprocess.run(
            [*pip, *packages], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        self.status = done.returncode
        if str(self.site) not in sys.path:
            sys.path.insert(0, str(self.site))
        self._forget()
        return done.stdout

    def close(self) -> None:
        """Reverts the changes of `install` in this process."""
        if str(self.site) in sys.path:
            sys.path.remove(str(self.site))
            self._forget()

    def _forget(self) -> None:
        """Removes all imported modules of installed packages."""
        from edgesdt import registry

        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(str(self.site)):
                del sys.modules[name]
        importlib.invalidate_caches()
        registry.forget()

    def save(self, block: Block) -> bool:
        """Writes or appends a block that begins with a file name to that file; returns False for other blocks."""
        named = _SAVED.match(block.text)
        if named is None:
            return False
        path, text = self.folder / named[1], block.text
        if named[2]:
            path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{text[named.end() :]}", encoding="utf-8")
        else:
            path.write_text(text, encoding="utf-8")
        return True

    @contextlib.contextmanager
    def _here(self) -> Iterator[io.StringIO]:
        """A context in the page's folder that captures printed text."""
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                yield printed
        finally:
            os.chdir(before)

    def console(self, block: Block) -> list[tuple[str, str, str]]:
        """(command, shown, actual) for each command of a block. A failure must be shown by `echo $?` after it."""
        steps: list[tuple[str, str, str]] = []
        for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
            lines = re.match(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", part, re.S)
            assert lines is not None, block
            command, shown = lines[1], lines[2]
            if self.status and command.strip() != "echo $?":
                raise Mismatch(f"{block}: the command before `{command.strip()}` failed:\n{steps[-1][2]}")
            steps.append((command, shown, self.shell(command)))
        if self.status:
            raise Mismatch(f"{block}: the last command failed:\n{steps[-1][2]}")
        return steps

    def python(self, block: Block) -> str:
        """Runs a script in the page's folder with the page's names; returns its output."""
        with self._here() as printed:
            exec(compile("\n" * (block.line - 1) + block.text, str(block.page), "exec"), self.names)
        return printed.getvalue()

    def dialogue(self, block: Block) -> None:
        """Runs a `pycon` block as a doctest, numbers and all."""
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        test = doctest.DocTestParser().get_doctest(block.text, self.names, str(block), str(block.page), block.line - 1)
        told = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
        runner.run(test, out=told.write, clear_globs=False)
        self.names = test.globs
        if runner.failures:
            raise Mismatch(f"{block}:\n{told.getvalue()}")


def run(page: Path, folder: Path) -> str:
    """Runs every block of a page in `folder`; returns the page's text with updated output. Raises `Mismatch`."""
    session = Session(folder)
    try:
        return _run(page, session)
    finally:
        session.close()


def _run(page: Path, session: Session) -> str:
    text = page.read_text(encoding="utf-8")
    found = blocks(page, text)
    changed: list[tuple[tuple[int, int], str]] = []
    for block, after in zip_longest(found, found[1:]):
        if block.language in FILES and session.save(block):
            continue
        if block.language == "pycon":
            session.dialogue(block)
        elif block.language == "python":
            printed = session.python(block)
            if after is not None and text[block.span[1] : after.span[0]].split() == ["```", "```text"]:
                changed.append((after.span, _held(after, after.text, printed)))
        elif block.language == "console":
            steps = session.console(block)
            changed.append((block.span, "".join(f"$ {c}{_held(block, shown, now)}" for c, shown, now in steps)))
    for (start, end), new in reversed(changed):
        text = text[:start] + new + text[end:]
    return text


def _held(block: Block, shown: str, actual: str) -> str:
    """The updated shown output. Raises `Mismatch` if more than numbers differ."""
    lines = aligned(shown, actual)
    if lines is None:
        raise Mismatch(f"{block}: the page shows\n{shown}\nbut this happens\n{actual}")
    return "".join(f"{line}\n" for line in lines)


def main() -> int:
    """Updates the shown output of all pages; prints the changed pages and all larger differences."""
    failed = 0
    for page in pages():
        try:
            with tempfile.TemporaryDirectory() as folder:
                now = run(page, Path(folder))
        except Mismatch as error:
            print(error, file=sys.stderr)
            failed = 1
            continue
        if now != page.read_text(encoding="utf-8"):
            page.write_text(now, encoding="utf-8")
            print(page.relative_to(ROOT))
    return failed


if __name__ == "__main__":
    sys.exit(main())
