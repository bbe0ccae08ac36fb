"""The ledger: what was done (actions) and where it is kept (the memory map)."""
