"""Every number that the founding documents name, and the setting that holds it."""

import json
from typing import Any, NamedTuple

from tip_assets.pages.markdown import code, table
from tip_resources.settings.keys import all_keys


class MissionNumber(NamedTuple):
    """`values` are the settings that hold the number, each with the mission's value as its default."""

    said: str
    values: dict[str, Any]


MISSION_NUMBERS = (
    MissionNumber(
        "simple conversations: batch size 15-30",
        {"generation.batch_size_simple.low": 15, "generation.batch_size_simple.high": 30},
    ),
    MissionNumber("30 conversations per LLM API call", {"generation.batch_size_simple.high": 30}),
    MissionNumber(
        "complex conversations: batch size 5-10",
        {"generation.batch_size_complex.low": 5, "generation.batch_size_complex.high": 10},
    ),
    MissionNumber(
        "simple conversations: 20-40 exchanges",
        {"generation.exchanges_simple.low": 20, "generation.exchanges_simple.high": 40},
    ),
    MissionNumber(
        "complex conversations: 80-150 exchanges",
        {"generation.exchanges_complex.low": 80, "generation.exchanges_complex.high": 150},
    ),
    MissionNumber("minimum_score 0.85", {"quality.minimum_score": 0.85}),
    MissionNumber("duplicate_threshold 0.95", {"quality.duplicate_threshold": 0.95}),
    MissionNumber("95%+ validation pass rate", {"quality.expected_pass_rate": 0.95}),
    MissionNumber("cpu_temp_limit 80", {"thermal.cpu_limit_celsius": 80}),
    MissionNumber("gpu_temp_limit 85", {"thermal.gpu_limit_celsius": 85}),
    MissionNumber("throttle_factor 0.7", {"thermal.throttle_factor": 0.7}),
    MissionNumber("recovery_threshold 75", {"thermal.recovery_celsius": 75}),
    MissionNumber(
        "Raspberry Pi: 75 and 70",
        {"thermal.raspberry_pi_limit_celsius": 75, "thermal.raspberry_pi_recovery_celsius": 70},
    ),
    MissionNumber("health_check_interval 30", {"node.health_check_seconds": 30}),
    MissionNumber("max_queue_depth 100", {"placement.max_queue_depth": 100}),
    MissionNumber("timeout_seconds 300", {"engine.first_token_timeout_seconds": 300}),
    MissionNumber(
        "2-6 concurrent workers (CONCURRENCY_MIN/MAX)",
        {"generation.concurrency.low": 2, "generation.concurrency.high": 6},
    ),
    MissionNumber("TARGET_P95_MS=2500", {"engine.target_p95_ms": 2500}),
    MissionNumber("TARGET_ERROR_RATE=0.03", {"engine.target_error_rate": 0.03}),
    MissionNumber(
        "exponential backoff 1s, 2s, 4s, 8s",
        {"engine.retries": 4, "engine.backoff_first_seconds": 1, "engine.backoff_longest_seconds": 8},
    ),
    MissionNumber(
        "score weights: thermal 40%, queue 30%, capability 20%, history 10%",
        {"placement.thermal": 0.4, "placement.queue": 0.3, "placement.capability": 0.2, "placement.history": 0.1},
    ),
)


def mission_table() -> str:
    """The numbers with their settings and the defaults that these have now."""
    rows = [
        (
            number.said,
            ", ".join(code(key) for key in number.values),
            ", ".join(json.dumps(all_keys()[key].default) for key in number.values),
        )
        for number in MISSION_NUMBERS
    ]
    return table(("the mission says", "setting", "default"), rows)
