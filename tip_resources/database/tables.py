"""The tables in schema `tip`, as SQLAlchemy Core sees them. They are made by migrations/versions.

A test compares the two. Dagster's own tables are not here: see dagster_storage.py.
"""

from sqlalchemy import (
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from tip_resources.database.schema import SCHEMA

metadata = MetaData(schema=SCHEMA)


def _id() -> Column:
    return Column("id", UUID(as_uuid=False), primary_key=True, server_default=text("gen_random_uuid()"))


def _now(name: str) -> Column:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _json(name: str) -> Column:
    return Column(name, JSONB, nullable=False, server_default=text("'{}'::jsonb"))


def _words(name: str) -> Column:
    return Column(name, Text, nullable=False, server_default=text("''"))


# Machines: as they are now, and the newest whole report of each.
nodes = Table(
    "nodes",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _words("profile"),
    _words("state"),
    _words("state_reason"),
    _json("hardware"),
    _now("first_seen_at"),
    Column("last_seen_at", DateTime(timezone=True)),
    _words("address"),
    _now("state_since"),
    _words("notes"),
    Column("clock_skew_seconds", Float),
    Column("newest_report", JSONB(none_as_null=True)),
    Column("newest_state", JSONB(none_as_null=True)),
    Column("state_written_at", DateTime(timezone=True)),
)

# What people ordered of a machine: to pause (take no new work), or to drain (and have its calls moved elsewhere).
node_orders = Table(
    "node_orders",
    metadata,
    Column("node", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    _words("given_by"),
    _words("reason"),
    _now("given_at"),
)

# Agents that announce themselves on the network and that nobody invited yet: hints, never trusted.
found_nodes = Table(
    "found_nodes",
    metadata,
    Column("url", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _now("first_seen_at"),
    _now("last_seen_at"),
)

# Steps that hold a slot of a machine, over all runs; a row lives for seconds unless its holder renews it.
step_leases = Table(
    "step_leases",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("step_key", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("holder", UUID(as_uuid=False), nullable=False),
    _words("host"),
    Column("pid", Integer, nullable=False),
    _now("taken_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("step_leases_by_node", "node", "expires_at"),
)

# What each machine did, by the hour.
node_work = Table(
    "node_work",
    metadata,
    Column("node", Text, primary_key=True),
    Column("hour_at", DateTime(timezone=True), primary_key=True),
    *(
        Column(name, kind, nullable=False, server_default=text("0"))
        for name, kind in (
            ("calls", Integer),
            ("failed_calls", Integer),
            ("tokens_out", BigInteger),
            ("call_seconds", Float),
            ("steps", Integer),
            ("failed_steps", Integer),
        )
    ),
    Index("node_work_by_time", "hour_at"),
)

# How many runs may go on now, as it was decided last: one row. `memory` is what the next decision needs.
fleet_gate = Table(
    "fleet_gate",
    metadata,
    Column("is_only", Boolean, primary_key=True, server_default=text("true")),
    Column("run_limit", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    _now("since"),
    _now("decided_at"),
    Column("memory", JSONB, nullable=False),
)

# The figures of machines that are kept over time: of the hottest card, all cards' watts, the busiest card.
NODE_FIGURES = ("cpu_celsius", "gpu_celsius", "gpu_watts", "cpu_ratio", "gpu_ratio")
# One row for each report for 24 hours; then one for each quarter of an hour.
node_reports = Table(
    "node_reports",
    metadata,
    Column("node_id", UUID(as_uuid=False), ForeignKey(nodes.c.id, ondelete="CASCADE"), primary_key=True),
    Column("received_at", DateTime(timezone=True), primary_key=True, server_default=func.now()),
    _words("state"),
    *(Column(figure, REAL) for figure in NODE_FIGURES),
    Index("node_reports_by_time", "received_at"),
)
node_quarters = Table(
    "node_quarters",
    metadata,
    Column("node_id", UUID(as_uuid=False), ForeignKey(nodes.c.id, ondelete="CASCADE"), primary_key=True),
    Column("quarter_at", DateTime(timezone=True), primary_key=True),
    Column("reports", Integer, nullable=False),
    *(
        column
        for figure in NODE_FIGURES
        for column in (
            *(Column(f"{figure}_{measure}", REAL) for measure in ("min", "mean", "max")),
            Column(f"{figure}_count", Integer, nullable=False),
        )
    ),
    Index("node_quarters_by_time", "quarter_at"),
)

# Model servers, and the models they were seen to serve.
endpoints = Table(
    "endpoints",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    _words("name"),
    Column("tier", Text, nullable=False, server_default=text("'local'")),
    Column("node_id", UUID(as_uuid=False), ForeignKey(nodes.c.id, ondelete="SET NULL")),
    _words("state"),
    _json("details"),
    _now("first_seen_at"),
    _now("last_seen_at"),
)
models = Table(
    "models",
    metadata,
    _id(),
    Column("endpoint_id", UUID(as_uuid=False), ForeignKey(endpoints.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("context_window_tokens", Integer),
    Column("is_loaded", Boolean),
    _json("details"),
    _now("last_seen_at"),
    UniqueConstraint("endpoint_id", "name", name="models_endpoint_id_name_key"),
)

# What the engine found out about an endpoint and model, for the next run. `endpoint` is its shared address.
endpoint_limits = Table(
    "endpoint_limits",
    metadata,
    _id(),
    Column("endpoint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("learned_limit", Integer, nullable=False),
    Column("tokens_per_second", Float, nullable=False),
    Column("p95_first_token_ms", Float),
    Column("p95_token_gap_ms", Float),
    _words("reason"),
    _now("updated_at"),
    UniqueConstraint("endpoint", "model", name="endpoint_limits_endpoint_model_key"),
)

# Engines that use an endpoint right now; a row lives for seconds unless its holder renews it.
# endpoint_limit: what the holder would allow all holders together; that of the oldest counts.
endpoint_leases = Table(
    "endpoint_leases",
    metadata,
    Column("endpoint", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("holder", UUID(as_uuid=False), primary_key=True),
    _words("run_id"),
    _words("host"),
    Column("pid", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("in_flight", Integer, nullable=False),
    Column("tokens_total", BigInteger, nullable=False, server_default=text("0")),
    Column("granted", Integer, nullable=False, server_default=text("0")),
    Column("endpoint_limit", Integer, nullable=False, server_default=text("0")),
    _now("first_seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

# One row per change of one setting. value NULL (not JSON null): from here on the setting is not set.
settings_versions = Table(
    "settings_versions",
    metadata,
    _id(),
    Column("version", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("value", JSONB(none_as_null=True)),
    Column("node", Text),
    Column("author", Text, nullable=False),
    _words("note"),
    _now("created_at"),
    Index("settings_versions_by_key", "key", "node", "version"),
)

dataset_requests = Table(
    "dataset_requests",
    metadata,
    _id(),
    Column("dataset", Text, nullable=False, unique=True),
    Column("spec", JSONB, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'requested'")),
    Column("run_id", Text),
    _words("note"),
    Column("idempotency_key", Text, unique=True),
    _now("created_at"),
    _now("updated_at"),
    Index("dataset_requests_by_state", "state", "created_at"),
)

# Columns as in the mission, plus the endpoint and model that the figures are of.
performance_samples = Table(
    "performance_samples",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("run_id", UUID(as_uuid=False), nullable=False),
    _now("timestamp"),
    Column("concurrency", Integer),
    Column("throughput_per_sec", Numeric(10, 4)),
    Column("p50_latency_ms", Integer),
    Column("p95_latency_ms", Integer),
    Column("error_rate", Numeric(5, 4)),
    Column("queue_depth", Integer),
    _words("endpoint"),
    _words("model"),
    # Of the time since the sample before; is_counted: added to node_work, or nobody's work there.
    Column("calls", Integer, nullable=False, server_default=text("0")),
    Column("failed_calls", Integer, nullable=False, server_default=text("0")),
    Column("tokens_out", BigInteger, nullable=False, server_default=text("0")),
    Column("call_seconds", Float, nullable=False, server_default=text("0")),
    Column("is_counted", Boolean, nullable=False, server_default=text("false")),
    Index("performance_samples_by_run", "run_id", "timestamp"),
    Index("performance_samples_by_endpoint", "endpoint", "timestamp"),
    Index("performance_samples_to_count", "id", postgresql_where=text("NOT is_counted")),
)

# The searchable index of delivered and graded calls; the calls themselves are Parquet sets.
conversations = Table(
    "conversations",
    metadata,
    _id(),
    Column("dataset", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    _words("domain"),
    Column("exact_fingerprint", Text),
    Column("normalized_fingerprint", Text),
    _now("indexed_at"),
    # Of a CallSketch; the version says which encoding its keys and body are of. NULL in rows of before 0006.
    Column("band_keys", ARRAY(BigInteger)),
    Column("sketch", LargeBinary),
    Column("sketch_version", SmallInteger),
    UniqueConstraint("dataset", "conversation_id", name="conversations_dataset_conversation_id_key"),
    Index("conversations_by_normalized_fingerprint", "normalized_fingerprint"),
    Index(
        "conversations_by_band_keys",
        "band_keys",
        postgresql_using="gin",
        # DeliveredIndex sorts new keys in.
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "65536"},
    ),
)
quality_scores = Table(
    "quality_scores",
    metadata,
    _id(),
    Column("conversation", UUID(as_uuid=False), ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("realism", Float, nullable=False),
    Column("coherence", Float, nullable=False),
    Column("naturalness", Float, nullable=False),
    Column("overall", Float, nullable=False),
    _json("metrics"),
    Column("grader", Text, nullable=False),
    Column("tier", Text, nullable=False),
    _words("rubric_version"),
    _words("rationale"),
    _now("graded_at"),
    Index("quality_scores_by_conversation", "conversation", "graded_at"),
)

# Who did what. A trigger refuses UPDATE, DELETE and TRUNCATE.
audit_log = Table(
    "audit_log",
    metadata,
    _id(),
    _now("at"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    _words("target"),
    _json("detail"),
    Index("audit_log_by_time", "at"),
    Index("audit_log_by_target", "target", "at"),
)
