"""Hardware models in physical units: technology tables, devices and periphery.

They use joules, watts, siemens, volts, seconds and codes, but no neurons, targets or data sets. This package never
imports `edgesdt`; the chip and its pricing import these models.
"""
