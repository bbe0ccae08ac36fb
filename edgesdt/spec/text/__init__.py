"""A spec as text: YAML read with its lines, fields overridden, resolved specs written."""
