"""A project folder with running services and the small code location, shared by the launching tests."""

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget

from tests.instance.launch.small_project import Project, environment_of, temporary_project
from tip_resources.database.connection import close
from tip_resources.launch.supervisor import running_services


@pytest.fixture(scope="package")
def shared_project() -> Iterator[Project]:
    """One for all modules: loading the services and making a database takes longer than a test.

    The environment is the project's only while a test asks for `project`: others have projects of their own.
    """
    with temporary_project() as home, ExitStack() as stack:
        (home / "notes").mkdir()
        with environment_of(home):
            stack.enter_context(running_services(home, web_port=None))
            instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
            target = WorkspaceFileTarget([str(home / ".tip" / "workspace.yaml")])
            context = stack.enter_context(WorkspaceProcessContext(instance, target))
        yield Project(home, home / "notes", context)
        close(home)


@pytest.fixture
def project(shared_project: Project) -> Iterator[Project]:
    """The shared project with no notes of earlier tests."""
    for note in shared_project.notes.iterdir():
        note.unlink()
    with environment_of(shared_project.home):
        yield shared_project
