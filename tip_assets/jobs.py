"""Jobs: what a request launches."""

import dagster as dg

MAKE_DATASET = "make_dataset"
IMPROVE_ROUND = "improve_round"
_ROUNDS = dg.AssetSelection.assets("feedback_rounds")

# Everything from the specification to the exports and the report, for one partition.
make_dataset = dg.define_asset_job(
    MAKE_DATASET,
    selection=dg.AssetSelection.all() - _ROUNDS,
    description="Make one data set end to end: plan, write, check, scrub, export, report.",
)

# One round of feedback for one recipe; `tip improve` runs it as often as it is told to.
improve_round = dg.define_asset_job(
    IMPROVE_ROUND,
    selection=_ROUNDS,
    description="Try changes of how calls are asked for, and keep those that bring them nearer to real ones.",
)
