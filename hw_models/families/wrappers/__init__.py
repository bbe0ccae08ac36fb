"""Devices around another device: stuck, worn and relaxing cells."""
