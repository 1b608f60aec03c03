"""Calls that say the same as another: how they are found, compared and explained."""
