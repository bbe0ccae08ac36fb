"""The sections of a spec as frozen models, with types, ranges, defaults and descriptions."""
