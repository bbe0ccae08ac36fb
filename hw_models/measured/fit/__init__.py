"""Fits of device families to measured pulses."""
