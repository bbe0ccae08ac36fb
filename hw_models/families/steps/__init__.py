"""Families whose pulses move the state by a step."""
