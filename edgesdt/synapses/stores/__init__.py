"""The kinds of stores that kernels can be compiled for; each module has a type and the operations on it."""
