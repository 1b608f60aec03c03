"""Names of the run tags and step metadata that launching writes, each with its why."""

# Which machine the run goes to. Set by a submitter it pins the run; set by us it comes with NODE_AUTO_TAG.
NODE_TAG = "tip/node"

# Marks a node that we chose. Re-executions inherit tags: with this mark they are placed anew, without it they stay.
NODE_AUTO_TAG = "tip/node_auto"

# Why that node, in words an operator reads in the Dagster UI.
NODE_WHY_TAG = "tip/node_why"

# Why a queued run is not started, or "started": Dagster can change a tag, not take it away.
WAITS_TAG = "tip/waits"
STARTED = "started"

# Which attempt of its data set's request the run was launched for; a re-execution inherits it. A run whose attempt was
# taken back meanwhile (paused, cancelled) does not begin, and its end says nothing about the request.
ATTEMPT_TAG = "tip/attempt"

# The run worker's ProcessIdentity. Dagster keeps tags of this prefix out of its UI: a pid tells an operator nothing.
WORKER_TAG = ".dagster/tip_worker"

# The run worker that ended in order while its run goes on: the machine was shut down. Taken up again at the next start.
HANDED_BACK_TAG = ".dagster/tip_handed_back"

# Metadata keys on a step's STEP_WORKER_STARTING event: where it runs, and as which process.
STEP_NODE = "tip/node"
STEP_WORKER = "tip/worker"
STEP_WHY = "tip/node_why"

# Op tag: what a step's node must have ("gpu"), separated by commas.
REQUIRES_TAG = "tip/requires"

# Op tag: classes of machine (node.profile) of which the node must be one, separated by commas.
NODE_CLASS_TAG = "tip/node-class"

# Op tag: what a node had better have, separated by commas; counts in its score.
PREFERS_TAG = "tip/prefers"

# Op tag: memory that must be free on the node, in MiB.
MEMORY_TAG = "tip/memory-mb"
