"""The partition sets. One data set is one partition, so one run makes one data set end to end."""

from functools import partial

import dagster as dg

from tip_assets.catalogue import CODE_VERSION, OWNERS, RUN_POOL

DATASET_PARTITIONS = "dataset"
RECIPE_PARTITIONS = "recipe"

# Dynamic: a data set exists from the moment somebody asked for it. Keys are validated before they are
# added (tip_resources.domain.names), because Dagster accepts keys such as ../../x.
datasets = dg.DynamicPartitionsDefinition(name=DATASET_PARTITIONS)

# A recipe is brought on round by round, each round one run; it belongs to no data set.
recipes = dg.DynamicPartitionsDefinition(name=RECIPE_PARTITIONS)

# What all assets of a data set share; group, kinds and checks are each one's own.
dataset_asset = partial(dg.asset, partitions_def=datasets, owners=OWNERS, code_version=CODE_VERSION, pool=RUN_POOL)
