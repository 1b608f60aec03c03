"""Measurements of the quality stages, run by hand."""
