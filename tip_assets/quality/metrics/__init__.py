"""Figures of a whole data set: how diverse it is, how like real calls, how it covers its plan. See docs/metrics.md."""
