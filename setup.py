"""Builds the package; its description is the README, with links that hold on a package index (setup.cfg: index)."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent
LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)")
NOTE = "Names of files in brackets are those of the source archive.\n\n"


def description(readme: str, files: str) -> str:
    """The README without relative links: they begin with the address `files`, or become paths where that is empty.

    Links inside the page and to other places stay as they are.
    """

    def replaced(found: re.Match[str]) -> str:
        picture, text, target = found["picture"], found["text"], found["target"]
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        if files:
            return f"{picture}[{text}]({files.rstrip('/')}/{target})"
        path = f"`{target.partition('#')[0]}`"
        return f"*Picture ({path}): {text}*" if picture else f"{text} ({path})"

    made = LINK.sub(replaced, readme)
    title, _, rest = made.partition("\n\n")
    return made if files or made == readme else f"{title}\n\n{NOTE}{rest}"


def address() -> str:
    """`files` of the section `[index]` of setup.cfg; empty as long as the project has no public address."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config.get("index", "files", fallback="").strip()


if __name__ == "__main__":
    setup(
        long_description=description((ROOT / "README.md").read_text(encoding="utf-8"), address()),
        long_description_content_type="text/markdown",
    )
