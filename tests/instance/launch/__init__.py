"""Launching: runs on a real instance, whose services all modules of this package share."""
