"""What a run keeps for the next: used where nothing has changed, and never by mistake."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from backstairs.account.client import Account
from backstairs.local.deploy import StepError, start_account
from backstairs.local.kept import Inputs, Kept, digest_of_snapshot, snapshot_file
from backstairs.runtime.process import Children
from tests.local.application import Application, copy_application, members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-east-1"
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  OneFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: one, Handler: app.handler, Runtime: python3.13}
  Network: {Type: AWS::Serverless::Application, Properties: {Location: stacks/network.yaml}}
"""
NESTED = """
Resources:
  TwoFunction: {Type: AWS::Serverless::Function, Properties: {CodeUri: !Sub ../two}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project: a function, one of a nested stack, and a folder of neither."""
    files = {
        "template.yaml": TEMPLATE,
        "stacks/network.yaml": NESTED,
        "one/app.py": "1",
        "two/app.py": "2",
        "docs/read.md": "3",
        "samconfig.toml": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def read(project: Path) -> Inputs:
    return Inputs.read(project, ["template.yaml"], [sys.executable])


def test_what_a_stack_is_built_from(project: Path) -> None:
    """The folders that its templates name, nested ones too, and nothing else."""
    before = read(project)
    (project / "docs/read.md").write_text("changed", "utf-8")
    (project / "one/__pycache__").mkdir()
    (project / "one/__pycache__/app.cpython-311.pyc").write_bytes(b"x")
    assert read(project) == before

    (project / "two/app.py").write_text("changed", "utf-8")
    assert read(project).changed_sources(before, "template.yaml") == ["two"]
    assert read(project).changed(before) == []

    (project / "one/new.py").write_text("", "utf-8")
    assert read(project).changed_sources(before, "template.yaml") == ["one", "two"]


@pytest.mark.parametrize("name", ["template.yaml", "stacks/network.yaml", "samconfig.toml"])
def test_what_changes_everything(project: Path, name: str) -> None:
    """A template or the settings, by name."""
    before = read(project)
    with (project / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert read(project).changed(before) == [name]


def test_a_function_that_names_no_folder(project: Path) -> None:
    """Its sources are the template's own folder."""
    template = project / "template.yaml"
    template.write_text(TEMPLATE.replace("CodeUri: one, ", ""), "utf-8")
    before = read(project)
    (project / "docs/read.md").write_text("changed", "utf-8")
    assert read(project).changed_sources(before, "template.yaml") == ["."]


def test_settings_of_sam_in_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may change what is built, so they count."""
    before = read(project)
    monkeypatch.setenv("SAM_PARAMETER_OVERRIDES", "Stage=other")
    assert read(project).changed(before) == ["the environment (SAM_...)"]


@pytest.fixture
def children() -> Iterator[Children]:
    """Processes that end with the test."""
    started = Children()
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A folder for the account's files."""
    folder = tmp_path / "state"
    (folder / "logs").mkdir(parents=True, mode=0o700)
    return folder


def kept(state: Path, children: Children) -> Kept:
    """An account with a table, put away and ended."""
    account = Account(start_account(sys.executable, children, state, REGION), REGION)
    account.client("dynamodb").create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    account.client("dynamodb").put_item(TableName="things", Item={"id": {"S": "a"}})
    account.client("s3").create_bucket(Bucket="kept")
    account.client("s3").put_object(Bucket="kept", Key="a", Body=b"\x00\xff")
    account.put_away()
    account.client("s3").put_object(Bucket="kept", Key="later", Body=b"")
    children.end()
    port = int(account.url.rpartition(":")[2])
    record = Kept(str(state), port, digest_of_snapshot(state), Inputs({}, {}))
    record.write(state)
    return record


def test_an_account_goes_on(state: Path, children: Children) -> None:
    """It has what it had when it was put away, and no more."""
    kept(state, children)

    again = Account(
        start_account(sys.executable, children, state, REGION, Kept.read(state, state)), REGION
    )

    items = again.client("dynamodb").scan(TableName="things")["Items"]
    assert items == [{"id": {"S": "a"}}]
    listed = again.client("s3").list_objects_v2(Bucket="kept")["Contents"]
    assert [one["Key"] for one in listed] == ["a"]
    assert again.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"\x00\xff"
    again.put_away()
    assert snapshot_file(state).stat().st_mode & 0o777 == 0o600


def test_a_snapshot_that_was_touched(state: Path, children: Children) -> None:
    """One that is cut off, replaced, or open to others is not used, and why is said."""
    record = kept(state, children)
    path = snapshot_file(state)
    whole = path.read_bytes()

    path.write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="is not the one that was kept"):
        Kept.read(state, state)

    path.write_bytes(whole)
    path.chmod(0o622)
    with pytest.raises(ValueError, match="others can write"):
        Kept.read(state, state)
    path.chmod(0o600)

    with pytest.raises(ValueError, match="another folder"):
        Kept.read(state, state.parent)
    assert Kept.read(state, state) == record


def test_a_snapshot_that_is_no_data(state: Path, children: Children) -> None:
    """A file that would run something when read is refused, and nothing of it is run."""
    record = kept(state, children)
    command = f"touch {state}/ran"
    snapshot_file(state).write_bytes(b"cposix\nsystem\n(S'" + command.encode() + b"'\ntR.")

    with pytest.raises(StepError, match="does not answer"):
        start_account(sys.executable, children, state, REGION, record)

    assert "posix.system is no data" in (state / "logs" / "account.log").read_text("utf-8")
    assert not (state / "ran").exists()


def test_a_port_that_is_taken(state: Path, children: Children) -> None:
    """What is kept knows its own port; where another has it, that is said."""
    record = kept(state, children)
    start_account(sys.executable, children, state, REGION, record)
    with pytest.raises(StepError, match=f"another program has port {record.port}"):
        start_account(sys.executable, children, state, REGION, record)


def up(folder: Path) -> Application:
    """A run that is up."""
    application = Application(folder)
    application.wait_until_up()
    return application


def test_runs_one_after_the_other(tmp_path: Path) -> None:
    """The second skips what has not changed, shows the same tour, and is itself again.

    A function that has changed is built and deployed, and the other stacks are not. A change while
    it runs is served by the next call, and deployed by the next run.
    """
    folder = copy_application(tmp_path)
    first = up(folder)
    assert "building and deploying everything: nothing is kept" in first.output
    assert first.end() == 130

    second = up(folder)
    assert "skipped sam build and sam deploy of backstairs, backstairs-forwarder" in second.output
    assert "sam build of" not in second.output.replace("skipped sam build and", "")
    assert statuses(second) == statuses(first)

    source = folder / "functions/claim_types/claim_types/catalogue.py"
    text = source.read_text("utf-8")
    source.write_text(text.replace("Treatment abroad", "Treatment far away"), "utf-8")
    until = time.monotonic() + 20
    while b"far away" not in second.call("GET", "/claim-types").body:
        assert time.monotonic() < until, second.output
        time.sleep(0.1)
    assert "run from the next call on by claim-types. This is local" in second.output
    with (folder / "template.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    while "changed: template.yaml: it takes a new start" not in second.output:
        assert time.monotonic() < until, second.output
        time.sleep(0.1)
    shutil.copy(folder / "template.yaml", folder / "template.before")
    lines = (folder / "template.yaml").read_text("utf-8").removesuffix("# changed\n")
    (folder / "template.yaml").write_text(lines, "utf-8")
    group = second.group()
    second.end(signal.SIGKILL)
    while members(group):
        assert time.monotonic() < until + 20
        time.sleep(0.05)

    third = up(folder)
    assert "changed since: functions/claim_types (of template.yaml)" in third.output
    assert "sam deploy of backstairs ..." in third.output
    assert "skipped sam build and sam deploy of backstairs-forwarder" in third.output
    assert b"far away" in third.call("GET", "/claim-types").body
    assert third.end() == 130
    left = sorted(path.name for path in (folder / ".backstairs").iterdir())
    assert [name for name in left if "snapshot" in name] == ["account.snapshot"]
    assert json.loads((folder / ".backstairs/deployed.json").read_text("utf-8"))["parameters"]
    assert (folder / ".backstairs").stat().st_mode & 0o077 == 0


def statuses(application: Application) -> list[str]:
    """What the calls of the tour came to, in order."""
    words = application.output.partition("Real calls")[2].split()
    return [word for word in words if word.isdecimal() and len(word) == 3]
