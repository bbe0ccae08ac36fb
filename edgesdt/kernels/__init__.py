"""The chip's arithmetic: compiled functions of integer arrays; they use no spec, device, file or floating point."""
