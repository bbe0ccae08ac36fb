"""Reads YAML text into plain data with the line of every key, without interpreting it as a spec.

Numbers, booleans and null are resolved as YAML 1.2 does: `1e-3` is a number; `on`, `no` and `12:30:00` are
text. Duplicate keys, tags, aliases and deep nesting are faults.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from edgesdt.spec.checks.hints import Path, printable, shown

MOST_CHARACTERS: Final = 1 << 17
"""Longest accepted text; a spec has only a page or two."""
_DEEPEST: Final = 20
_LONGEST_INTEGER: Final = 300  # digits; longer numbers exceed every float and would be read as infinite
_TAG: Final = "tag:yaml.org,2002:"


class _Refused(Exception):
    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.text, self.line = text, line


class _Reader(yaml.SafeLoader):
    """PyYAML's composer with its own resolvers; it refuses aliases, tags and deep nesting."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (yaml's own protocol)
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(f"an alias, *{event.anchor}: aliases are not read, write the value out", line)
        if getattr(event, "tag", None) is not None:
            raise _Refused(f"a tag, {shown(event.tag)}: tags are not read, leave it out", line)
        if self._depth > _DEEPEST:
            raise _Refused(f"nested more than {_DEEPEST} levels deep", line)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _resolve(kind: str, pattern: str, first: str) -> None:
    _Reader.add_implicit_resolver(_TAG + kind, re.compile(rf"(?:{pattern})\Z"), list(first))


_resolve("null", r"~|null|Null|NULL|", "~nN\0")
_Reader.yaml_implicit_resolvers[""] = _Reader.yaml_implicit_resolvers.pop("\0")  # the empty value
_resolve("bool", r"true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", r"[-+]?[0-9][0-9_]*|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789")
_resolve("float", r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")
_resolve("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+.")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, at a path of the spec.

    `line` is its line if the reader knows it. Otherwise the line follows from `blame`: the paths that could be changed
    to correct it, the most likely first (the path itself if empty).
    """

    path: Path
    text: str
    line: int | None = None
    blame: tuple[Path, ...] = ()


@dataclass
class Source:
    """Plain data, the line of every path (1-based; `()` is the first key), and the faults found."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read(text: str) -> Source:
    """Reads one YAML document. For unreadable text, the data of the `Source` is None and its faults give the reason."""
    source = Source()
    try:
        node = yaml.compose(text, Loader=_Reader)
        if node is not None:
            source.lines[()] = node.start_mark.line + 1
            source.data = _plain(node, (), source)
    except _Refused as refusal:
        source.faults = [Fault((), refusal.text, refusal.line)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = printable(", ".join(part for part in (error.context, error.problem) if part))
        source.faults = [Fault((), f"not readable as YAML: {problem}", mark.line + 1 if mark else 1)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = ord(text[error.position])
        source.faults = [Fault((), f"a character that YAML does not allow: U+{code:04X}", line)]
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # raised by chr() for a bad \U escape
        source.faults = [Fault((), f"not readable as YAML: {printable(str(error))}", 1)]
    return source


def is_text(word: str) -> bool:
    """Whether an unquoted word reads as text rather than as a number, a bool or null."""
    patterns = _Reader.yaml_implicit_resolvers.get(word[:1], [])
    return not any(pattern.match(word) for _, pattern in patterns)


def _plain(node: yaml.Node, path: Path, source: Source) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node)
    if isinstance(node, yaml.SequenceNode):
        items = []
        for index, child in enumerate(node.value):
            source.lines[(*path, index)] = child.start_mark.line + 1
            items.append(_plain(child, (*path, index), source))
        return items
    mapping: dict[str, Any] = {}
    for key_node, child in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            source.faults.append(Fault(path, "a key must be a word, this one is a list or a mapping", line))
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key in mapping:
            text = f"duplicate key, first given on line {source.lines[here]}"
            source.faults.append(Fault(here, text, line))
            continue
        source.lines[here] = line
        mapping[key] = _plain(child, here, source)
    return mapping


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            digits = text.replace("_", "")
            if len(digits) > _LONGEST_INTEGER:
                return float("-inf" if digits.startswith("-") else "inf")
            return int(digits, {"0x": 16, "0o": 8}.get(digits[:2], 10))
        case "float":
            cleaned = text.replace("_", "").lower()
            return float(cleaned.replace(".", "") if cleaned.endswith(("inf", "nan")) else cleaned)
    return text
