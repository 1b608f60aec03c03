"""TIP_DATABASE_URL: a server of somebody else's, with their tables, their rights and what they put before it.

The server is real, with roles of its own; the pooler and TLS are tests/database_proxies.py.
"""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from tests.database_proxies import proxy
from tests.embedded import empty_database, in_database, run_sql
from tip_resources.database.connection import URL_VARIABLE, close, database
from tip_resources.database.dagster_storage import TipStorage
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput

ROLE = "tip user"  # has to be quoted in SQL
DAGSTER_YAML = """\
telemetry: {enabled: false}
storage:
  custom: {module: tip_resources.database.dagster_storage, class: TipStorage, config: {}}
compute_logs: {module: tip_resources.database.instance_folders, class: TipComputeLogManager, config: {}}
local_artifact_storage: {module: tip_resources.database.instance_folders, class: TipArtifactStorage, config: {}}
"""
# What a call centre, and a Dagster of their own, may have there already.
THEIRS = ("nodes", "conversations", "runs", "event_logs", "alembic_version", "jobs")


@dg.asset
def greeting() -> str:
    return "hello"


@pytest.fixture
def owned(server_url: str) -> Iterator[Engine]:
    """A database as its owner sees it. tip's user may log in there and no more."""
    with empty_database(server_url) as url:
        run_sql(url, f'CREATE ROLE "{ROLE}" LOGIN')
        owner = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            yield owner
        finally:
            close()
            with owner.connect() as connection:
                connection.execute(text(f'DROP OWNED BY "{ROLE}"'))
                connection.execute(text(f'DROP ROLE "{ROLE}"'))
            owner.dispose()


@pytest.fixture
def as_user(owned: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL for tip's user, which is TIP_DATABASE_URL."""
    url = in_database(owned.url.render_as_string(False), owned.url.database or "", user=ROLE)
    monkeypatch.setenv(URL_VARIABLE, url)
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)
    return url


def run_by(owner: Engine, *statements: str) -> None:
    with owner.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def sql_in(failure: BadInput) -> list[str]:
    """The statements of a message, up to its `or:`, as an administrator would copy them."""
    said = failure.mend.partition(" or: ")[0].partition(": ")[2]
    return [statement.strip() for statement in said.split(";") if statement.strip()]


def use_everything(home: Path) -> None:
    """Dagster's tables and ours, written and read."""
    spec = DatasetSpec(name="clinic", count=1, domain="healthcare")
    RequestStore(database()).add(spec, source="cli")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert dg.materialize([greeting], instance=instance).success
        instance.upgrade()
        assert instance.get_runs_count() == 1
    assert [row.dataset for row in RequestStore(database()).list()] == ["clinic"]


@pytest.mark.slow
def test_without_rights_the_message_holds_the_sql_that_is_enough(owned: Engine, as_user: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="'tip user' may not create the schema 'tip'") as refused:
        TipStorage()
    assert "GRANT CREATE ON DATABASE" in refused.value.mend
    run_by(owned, *sql_in(refused.value))
    use_everything(tmp_path)


@pytest.mark.slow
def test_the_right_to_create_in_the_database_is_enough_and_tables_of_the_same_names_stay_untouched(
    owned: Engine, as_user: str, tmp_path: Path
) -> None:
    run_by(owned, f'GRANT CREATE ON DATABASE "{owned.url.database}" TO "{ROLE}"')
    for name in THEIRS:
        run_by(owned, f"CREATE TABLE {name} (mine text)", f"INSERT INTO {name} VALUES ('theirs')")
        run_by(owned, f'GRANT ALL ON {name} TO "{ROLE}"')  # only where we look keeps us off them
    use_everything(tmp_path)
    with owned.connect() as connection:
        assert set(inspect(connection).get_table_names(schema="public")) == set(THEIRS)
        for name in THEIRS:
            assert connection.execute(text(f"SELECT * FROM public.{name}")).all() == [("theirs",)]
        tables = {schema: inspect(connection).get_table_names(schema=schema) for schema in ("tip", "tip_dagster")}
    assert {"nodes", "conversations"} <= set(tables["tip"]) and {"runs", "event_logs"} <= set(tables["tip_dagster"])


@pytest.mark.slow
@pytest.mark.parametrize("schema", ["tip", "tip_dagster"])
def test_a_schema_of_somebody_elses_is_told_with_the_sql_that_hands_it_over(
    owned: Engine, as_user: str, tmp_path: Path, schema: str
) -> None:
    other = "tip" if schema == "tip_dagster" else "tip_dagster"
    run_by(owned, f'CREATE SCHEMA {other} AUTHORIZATION "{ROLE}"', f"CREATE SCHEMA {schema}")
    with pytest.raises(BadInput, match=f"lacks rights in the schema '{schema}'") as refused:
        TipStorage()
    run_by(owned, f'ALTER SCHEMA {schema} OWNER TO "{ROLE}"')
    assert f'ALTER SCHEMA {schema} OWNER TO "{ROLE}";' in refused.value.mend
    use_everything(tmp_path)


@pytest.mark.slow
def test_a_server_without_pgvector_lacks_nothing(owned: Engine, as_user: str, tmp_path: Path) -> None:
    run_by(owned, f'CREATE SCHEMA tip AUTHORIZATION "{ROLE}"', f'CREATE SCHEMA tip_dagster AUTHORIZATION "{ROLE}"')
    use_everything(tmp_path)  # this user may not install extensions
    with owned.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'vector'")) == 0


@pytest.mark.parametrize(
    ("forbid", "said", "mend"),
    [
        ('REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC', "permission denied for database", "GRANT CONNECT ON"),
        ('ALTER ROLE "{role}" NOLOGIN', "not permitted to log in", 'ALTER ROLE "tip user" LOGIN;'),
    ],
)
def test_a_user_who_may_not_come_in_is_told_apart_from_a_server_that_is_away(
    owned: Engine, as_user: str, forbid: str, said: str, mend: str
) -> None:
    run_by(owned, forbid.format(database=owned.url.database, role=ROLE))
    with pytest.raises(BadInput, match=said) as refused:
        database()
    assert mend in refused.value.mend


@pytest.mark.slow
def test_the_options_of_the_url_reach_the_server(owned: Engine, as_user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_by(owned, f'GRANT CREATE ON DATABASE "{owned.url.database}" TO "{ROLE}"')
    monkeypatch.setenv(URL_VARIABLE, f"{as_user}&options=-cwork_mem%3D7MB&target_session_attrs=read-write")
    storage = TipStorage()
    for connection in (storage._run_storage.connect(), database().connect()):
        with connection as open_connection:
            assert open_connection.scalar(text("SHOW work_mem")) == "7MB"


def test_a_pooler_that_refuses_our_startup_parameter_is_explained(
    owned: Engine, as_user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_by(owned, f'GRANT CREATE ON DATABASE "{owned.url.database}" TO "{ROLE}"')
    with proxy(as_user, options="refuse") as url:
        monkeypatch.setenv(URL_VARIABLE, url)
        with pytest.raises(BadInput, match=r"unsupported startup parameter: options.*ignore_startup_parameters"):
            TipStorage()
        close()


@pytest.mark.slow
def test_a_pooler_that_drops_it_never_lets_us_into_tables_of_the_same_names(
    owned: Engine, as_user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_by(owned, f'GRANT CREATE ON DATABASE "{owned.url.database}" TO "{ROLE}"')
    run_by(owned, "CREATE TABLE runs (mine text)", f'GRANT ALL ON runs TO "{ROLE}"')
    with proxy(as_user, options="drop") as url:
        monkeypatch.setenv(URL_VARIABLE, url)
        with pytest.raises(BadInput, match="startup parameter options was dropped") as refused:
            TipStorage()
        close()
        run_by(owned, "ALTER ROLE" + refused.value.mend.partition("ALTER ROLE")[2].partition(";")[0])
        use_everything(tmp_path)
        close()


def test_a_server_without_ssl_is_told_apart(as_user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(as_user) as url:
        monkeypatch.setenv(URL_VARIABLE, f"{url}?sslmode=require")
        with pytest.raises(BadInput, match=r"does not support SSL.*Take sslmode=require out"):
            database()


@pytest.mark.slow
def test_ssl_modes_of_the_url_are_kept(
    owned: Engine, as_user: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    run_by(owned, f'GRANT CREATE ON DATABASE "{owned.url.database}" TO "{ROLE}"')
    with proxy(as_user, tls=context) as url:
        monkeypatch.setenv(URL_VARIABLE, f"{url}?sslmode=verify-full&sslrootcert={certificate}")
        use_everything(tmp_path)
        close()
        (tmp_path / "other.pem").write_text(self_signed(tmp_path / "other").read_text())
        monkeypatch.setenv(URL_VARIABLE, f"{url}?sslmode=verify-full&sslrootcert={tmp_path / 'other.pem'}")
        with pytest.raises(BadInput, match=r"certificate verify failed.*Check sslmode and sslrootcert"):
            database()


def self_signed(folder: Path) -> Path:
    """A certificate with its key for 127.0.0.1."""
    pytest.importorskip("cryptography", reason="cryptography of the extra dev is not installed")
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.add_extension(address, False).sign(key, hashes.SHA256())
    folder.mkdir(exist_ok=True)
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
