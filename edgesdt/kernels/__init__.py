"""The chip's arithmetic: jitted functions of integer arrays, and nothing else (no spec, device, file or float)."""
