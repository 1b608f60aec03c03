"""What a worker does with its orders: Dagster's own `dagster api` commands, watched by run_watch.py.

Loads Dagster when imported; worker.py, which has to stay light, imports it while the orders are on their way.
"""

import os
from functools import partial

from dagster import DagsterInstance, DagsterRunStatus
from dagster._cli.api import execute_run_command, execute_step_command, resume_run_command
from dagster._core.instance import InstanceRef
from dagster._grpc.types import ExecuteRunArgs, ExecuteStepArgs, ResumeRunArgs
from dagster._serdes import deserialize_value

from tip_resources.launch.handed_back import hand_back_blameless_steps
from tip_resources.launch.orders import Orders
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.run_watch import RunWatch, say, why_not_begin, why_stop_step, why_stop_worker, worker_of
from tip_resources.launch.tags import HANDED_BACK_TAG


def work(orders: Orders) -> None:
    """Does what the orders say; may end the process. Ends quietly when the run is no longer to be worked on."""
    os.environ.update(orders.environment)
    if orders.what == "execute_step":
        _work_on_step(orders.arguments)
    else:
        _work_on_run(orders.arguments, resumes=orders.what == "resume_run")


def _work_on_step(arguments: str) -> None:
    args = deserialize_value(arguments, ExecuteStepArgs)
    assert args.instance_ref is not None, "the executor always says where the run is on record"
    hand_back_blameless_steps()
    with RunWatch(args.instance_ref, args.run_id, why_stop_step):
        _callback(execute_step_command)(input_json=arguments, compressed_input_json=None)


def _work_on_run(arguments: str, *, resumes: bool) -> None:
    args = deserialize_value(arguments, ResumeRunArgs if resumes else ExecuteRunArgs)
    assert args.instance_ref is not None, "our launcher always says where the run is on record"
    me = ProcessIdentity.of(os.getpid())
    with DagsterInstance.from_ref(args.instance_ref) as instance:
        run = instance.get_run_by_id(args.run_id)
        if why := why_not_begin(run, me, resumes=resumes):
            say(f"process {os.getpid()} does not work on run {args.run_id}: {why}.")
            if run is not None:
                instance.report_engine_event(f"Process {os.getpid()} came too late and did nothing: {why}.", run)
            return
    try:
        with RunWatch(args.instance_ref, args.run_id, partial(why_stop_worker, me=me)):
            if resumes:
                _callback(resume_run_command)(input_json=arguments)
            else:
                _callback(execute_run_command)(input_json=arguments, compressed_input_json=None)
    finally:
        _note_handing_back(args.instance_ref, args.run_id, me)


def _note_handing_back(instance_ref: InstanceRef, run_id: str, me: ProcessIdentity | None) -> None:
    """Says that this worker was told to stop and the run is to go on; one that is killed cannot say so."""
    with DagsterInstance.from_ref(instance_ref) as instance:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status == DagsterRunStatus.STARTED and me is not None and worker_of(run) == me:
            instance.add_run_tags(run_id, {HANDED_BACK_TAG: me.to_json()})


def _callback(command):
    assert command.callback is not None, "click commands made by the decorator have one"
    return command.callback
