"""Experiments: the same planned calls written in several ways, measured side by side."""
