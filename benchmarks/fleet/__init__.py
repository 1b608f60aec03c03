"""Figures about the fleet: how fast decisions are, and what they are worth on simulated machines."""
