"""Settings of living with tip for long: how long things are kept, and how much of the disk is left alone."""

from typing import Annotated

from pydantic import Field

from tip_resources.settings.section import Section

Days = Annotated[int, Field(ge=0)]


class RetentionSettings(Section):
    """For how many days what is kept; 0 keeps it for ever. Data sets, their exports and their lineage always stay."""

    run_details_days: Days = Field(
        default=30,
        description="Log lines, step inputs and outputs and other small events of ended runs, and the values between "
        "their ops. What was materialized and checked, and how steps ended, stays.",
    )
    runs_days: Days = Field(
        default=180,
        description="Ended runs with all their events, where no data set that is still there comes from them.",
    )
    observations_days: Days = Field(
        default=30, description="Observations of machines and of the gate in Dagster; the newest of each stays."
    )
    ticks_days: Days = Field(default=30, description="Ticks of sensors and schedules.")
    compute_logs_days: Days = Field(default=30, description="What steps of ended runs printed.")
    node_history_days: Days = Field(default=90, description="Figures of machines by quarter hours, and their work.")
    performance_days: Days = Field(default=90, description="Samples of the engine's speed.")
    parts_days: Days = Field(
        default=30,
        description="Parts of data sets that were exported complete. A run of such a set asks for all calls again.",
    )
    scratch_days: Days = Field(default=7, description="Working files of runs that were killed.")
    logs_days: Days = Field(default=30, description="Logs of run workers and of services.")


class DiskSettings(Section):
    """How much of the disk tip leaves alone."""

    reserve_gigabytes: Annotated[float, Field(ge=0)] = Field(
        default=2.0,
        description="With less than this free (GB) nothing is begun, and writing waits for room; 0 for no reserve.",
    )
