"""Hardware models priced and described in physical units: technology tables, devices and periphery.

They know joules, watts, siemens, volts, seconds and codes; never neurons, targets or data sets. Nothing here
imports `edgesdt`: the chip and its ledger import these models, never the other way round.
"""
