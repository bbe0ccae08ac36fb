"""edgesdt: simulate chips that learn at the edge, in the integers that the silicon would hold."""

__version__ = "0.1.0"
