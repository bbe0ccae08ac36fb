"""Pricing: action counts times a technology table give joules, seconds and mm²."""
