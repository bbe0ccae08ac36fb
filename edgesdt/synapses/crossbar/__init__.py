"""Where kernels and devices meet, as arrays: weights on analog cells, read by converters, moved by pulses.

`layout` has the arrays, `bank` makes them of a device model, `sensing` reads, `programming` writes, `stream` learns.
"""
