"""Groups, owners and code versions of the assets, in one place so that the graph reads as one hand's work."""

# Asset groups, in the order a call passes through them. Plain strings: Dagster cannot serialize an enum.
PLANNING, GENERATION, QUALITY, EXPORTS = GROUPS = ("planning", "generation", "quality", "exports")
# Machines: beside the way of a call, observed and not made.
FLEET = "fleet"

# The pool that every op of ours is in. Its limit is how many runs may go on at once; sensors/fleet_gate.py sets it, and
# 0 holds the queue. By run, not by step (dagster.yaml): a run that has begun is never held in its middle.
RUN_POOL = "tip_runs"

OWNERS = ["team:transcripts"]

# Raise when the same inputs would give another output.
CODE_VERSION = "1"
