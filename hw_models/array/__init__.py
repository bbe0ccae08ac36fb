"""Crossbar arrays: weights as conductances, products, wires and costs."""
