"""The public functions and methods of the packages that take arrays, found in their source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.conftest import ROOT

COMPILED = {"kernel", "inlined", "njit"}
KEPT_ARRAYS = {"Cells"}
"""Classes that hold arrays and are handed in like one."""


@cache
def trees() -> list[tuple[str, ast.Module]]:
    """Every module of the two packages: dotted name, syntax tree. Read once."""
    return list(_parsed())


def _parsed() -> Iterator[tuple[str, ast.Module]]:
    for package in ("edgesdt", "hw_models"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text("utf-8"))


def array_types() -> set[str]:
    """Names that stand for an array in annotations: numpy's, and every alias that the packages give one."""
    found = {"NDArray", "ArrayLike", *KEPT_ARRAYS}
    for _, tree in trees():
        for node in tree.body:
            named = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if named and "NDArray[" in ast.unparse(node):
                found.add(node.targets[0].id)
    return found


@cache
def taking_arrays() -> dict[str, list[str]]:
    """Dotted name of each public function or method that takes an array → the names of its arrays."""
    named = re.compile(rf"\b({'|'.join(sorted(array_types()))})\b")
    found: dict[str, list[str]] = {}
    for module, tree in trees():
        for node in tree.body:
            inside = node.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_") else []
            owner = f"{module}.{node.name}" if isinstance(node, ast.ClassDef) else module
            for function in inside or [node]:
                if isinstance(function, ast.FunctionDef) and _is_public(function):
                    arrays = [a.arg for a in _arguments(function) if named.search(_text(a))]
                    if arrays:
                        found[f"{owner}.{function.name}"] = arrays
    return found


def _is_public(function: ast.FunctionDef) -> bool:
    compiled = any(COMPILED & set(re.findall(r"\w+", ast.unparse(mark))) for mark in function.decorator_list)
    return not compiled and (function.name == "__init__" or not function.name.startswith("_"))


def _text(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation) if argument.annotation else ""


def _arguments(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
