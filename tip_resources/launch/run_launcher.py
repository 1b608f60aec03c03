"""The run launcher of dagster.yaml: chooses a machine for each run, then lets the wrapped launcher start it.

How a process or a Kubernetes job is started is the inner launcher's business.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from dagster import DagsterRun
from dagster._core.instance import DagsterInstance
from dagster._core.instance.config import configurable_class_schema
from dagster._core.instance.ref import configurable_class_data
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, ResumeRunContext, RunLauncher
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from tip_resources.database.connection import database
from tip_resources.domain.failures import BadInput
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import WorkRequest, place
from tip_resources.launch.local_launcher import LocalProcessRunLauncher
from tip_resources.launch.tags import NODE_AUTO_TAG, NODE_TAG, NODE_WHY_TAG, STARTED, WAITS_TAG
from tip_resources.settings.live import LiveSettings


class NodeAwareRunLauncher(RunLauncher, ConfigurableClass):
    """Tags each run with its node and the reason, and passes everything on to `inner`."""

    def __init__(self, inner: RunLauncher, inst_data: ConfigurableClassData | None = None) -> None:
        self._inner = inner
        self._inst_data = inst_data
        self._known_fleet: KnownFleet | None = None
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"inner": configurable_class_schema()}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        inner = config_value["inner"]
        data = configurable_class_data({**inner, "config": inner.get("config") or {}})
        return cls(data.rehydrate(as_type=RunLauncher), inst_data)

    def register_instance(self, instance: DagsterInstance) -> None:
        super().register_instance(instance)
        self._inner.register_instance(instance)

    def launch_run(self, context: LaunchRunContext) -> None:
        self._inner.launch_run(context._replace(dagster_run=self._placed(self._begun(context.dagster_run))))

    def resume_run(self, context: ResumeRunContext) -> None:
        self._inner.resume_run(context._replace(dagster_run=self._placed(context.dagster_run)))

    def terminate(self, run_id: str) -> bool:
        return self._inner.terminate(run_id)

    def dispose(self) -> None:
        self._inner.dispose()

    def join(self, timeout: int = 30) -> None:
        self._inner.join(timeout)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return self._inner.supports_check_run_worker_health

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        return self._inner.check_run_worker_health(run)

    @property
    def supports_resume_run(self) -> bool:
        return self._inner.supports_resume_run

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        return self._inner.get_run_worker_debug_info(run, include_container_logs)

    def __getattr__(self, name: str) -> Any:
        # k8s_job_executor reads the launcher's settings (job_image, dagster_home ...) from whatever launcher it finds.
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)

    def _begun(self, run: DagsterRun) -> DagsterRun:
        """The run without the reason for which it waited, if it did."""
        if WAITS_TAG not in run.tags:
            return run
        self._instance.add_run_tags(run.run_id, {WAITS_TAG: STARTED})
        return run.with_tags({**run.tags, WAITS_TAG: STARTED})

    def _placed(self, run: DagsterRun) -> DagsterRun:
        """The run with its node in its tags. A node its submitter chose stays.

        Raises:
            BadInput: That node is none on which a run can be started.
        """
        fleet = self._fleet()
        reachable = self._reachable(fleet)
        if NODE_TAG in run.tags and NODE_AUTO_TAG not in run.tags:
            _check_choice(run.tags[NODE_TAG], reachable)
            return run
        settings = fleet.settings
        placement = place(WorkRequest(key=run.run_id), reachable, settings.placement, settings.thermal)
        # A launcher cannot say "later": with no node free, the run waits here and its steps wait for the node.
        tags = {NODE_TAG: placement.node or fleet.own_name, NODE_AUTO_TAG: "true", NODE_WHY_TAG: placement.why}
        self._instance.add_run_tags(run.run_id, tags)
        return run.with_tags({**run.tags, **tags})

    def _fleet(self) -> KnownFleet:
        if self._known_fleet is None:  # not when the instance loads, which needs no database
            self._known_fleet = KnownFleet(database(), LiveSettings().current)
        return self._known_fleet

    def _reachable(self, fleet: KnownFleet) -> Sequence[NodeState]:
        """The nodes on which the inner launcher can start a run: this machine, but for one that reaches others."""
        is_local = isinstance(self._inner, LocalProcessRunLauncher)
        return [fleet.this_node()] if is_local else fleet.states()


def _check_choice(node: str, reachable: Sequence[NodeState]) -> None:
    names = [state.node for state in reachable]
    if node not in names:
        raise BadInput(
            f"no run can be started on this node, only on {', '.join(names)}.",
            where=f"run tag {NODE_TAG}: {node!r}",
            mend=f"Launch the run without the tag {NODE_TAG}, or from Dagster on {node}.",
        )
