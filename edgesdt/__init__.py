"""edgesdt: a simulator of chips that learn at the edge, with the integer arithmetic of the hardware."""

__version__ = "0.1.0"
