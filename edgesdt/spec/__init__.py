"""Parses and checks YAML specs, and holds them as frozen typed sections."""

from __future__ import annotations

from edgesdt.spec.fields import FieldDoc, documented
from edgesdt.spec.loading import load, loads, shipped, shipped_text
from edgesdt.spec.schema.spec import Spec
from edgesdt.spec.sets import SETS, SetFacts
from edgesdt.spec.text.writing import spec_hash, to_yaml

__all__ = [
    "SETS",
    "FieldDoc",
    "SetFacts",
    "Spec",
    "documented",
    "load",
    "loads",
    "shipped",
    "shipped_text",
    "spec_hash",
    "to_yaml",
]
