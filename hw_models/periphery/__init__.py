"""Periphery of a crossbar: converters, sampling, drivers, decoders and wires, priced in joules, seconds and mm2."""

from __future__ import annotations

from hw_models.periphery.adc import Adc
from hw_models.periphery.dac import Dac
from hw_models.periphery.drivers import Drivers
from hw_models.periphery.sense import Sense
from hw_models.periphery.wires import Wires

__all__ = ["Adc", "Dac", "Drivers", "Sense", "Wires"]
