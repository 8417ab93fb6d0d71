"""`backstairs access`, as a user runs it: on files, in a repository, in a contract's check."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      # Without it SAM adds a stage of its own.
      OpenApiVersion: 3.0.1
      Auth: {DefaultAuthorizer: AWS_IAM}
  Members:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: handler.handler
      CodeUri: .
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Method: GET, Path: /members}}
  Notifier:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: handler.handler
      CodeUri: .
      Policies:
        - Statement:
            - Effect: Allow
              Action: execute-api:Invoke
              Resource: !Sub arn:aws:execute-api:*:${AWS::AccountId}:*/${Stage}/GET/members
"""
CONTRACT = """\
rules:
  - Notifier may GET /members of Api from the internet
"""
SAMCONFIG = """\
version = 0.1
[live.deploy.parameters]
parameter_overrides = "Stage=live"
region = "eu-west-1"
"""


def access(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "backstairs", "access", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a template and its contract."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "access.yaml").write_text(CONTRACT)
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG)
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    """Change the template."""
    text = (folder / "template.yaml").read_text()
    assert old in text
    (folder / "template.yaml").write_text(text.replace(old, new))


def test_the_matrix_is_shown_with_the_parameters_of_samconfig(folder: Path) -> None:
    """Of the environment that is named; a parameter on the command line counts more."""
    shown = access(folder, "--config-env", "live")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "region eu-west-1" in shown.stdout
    assert "Api: public REST API, stage live" in shown.stdout
    assert "may call  Notifier; from the internet" in shown.stdout
    given = json.loads(access(folder, "--json", "--parameter", "Stage=test").stdout)
    assert {request["stage"] for request in given["requests"]} == {"test"}


def test_a_principal_and_facts_can_be_given(folder: Path) -> None:
    """A role that the template does not declare; an account's number."""
    (folder / "facts.yaml").write_text('account: "210987654321"\n')
    grant = {"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}
    (folder / "partner.json").write_text(json.dumps({"Statement": [grant]}))
    words = ("--parameter", "Stage=dev", "--facts", "facts.yaml")
    shown = access(folder, *words, "--principal", "Partner=partner.json")
    assert "account 210987654321" in shown.stdout
    assert "may call  Partner; from the internet" in shown.stdout
    assert "Allow statement 1 of partner.json matches" in shown.stdout


def test_check_keeps_or_breaks(folder: Path) -> None:
    """0 and one line; 1 and what is broken, with a call that shows it."""
    kept = access(folder, "check", "--parameter", "Stage=dev")
    assert (kept.returncode, kept.stderr) == (0, "")
    assert kept.stdout.startswith("template.yaml keeps to access.yaml: ")
    edit(folder, "Auth: {DefaultAuthorizer: AWS_IAM}", "Auth: {}")
    broken = access(folder, "check", "--parameter", "Stage=dev")
    assert broken.returncode == 1
    assert "What may be made, and no rule says so:" in broken.stdout
    assert "anonymous" in broken.stdout
    assert "      curl " in broken.stdout
    in_markdown = access(folder, "check", "--markdown", "--parameter", "Stage=dev")
    assert in_markdown.stdout.startswith("### `template.yaml` breaks `access.yaml`")


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as nobody in particular."""
    settings = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def test_diff_compares_a_revision_with_the_working_tree(folder: Path) -> None:
    """Neither the working tree nor the index is touched; 1 when somebody gains, else 0."""
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    edit(folder, "GET/members", "*/members")
    edit(
        folder,
        "{RestApiId: !Ref Api, Method: GET, Path: /members}",
        "{RestApiId: !Ref Api, Method: ANY, Path: /members}",
    )
    index = (folder / ".git" / "index").read_bytes()
    opened = access(folder, "diff", "HEAD", "--parameter", "Stage=dev")
    assert opened.returncode == 1, opened.stderr
    assert "Notifier may ANY /members of Api from the internet" in opened.stdout
    assert (folder / ".git" / "index").read_bytes() == index
    git(folder, "commit", "-qam", "second")
    words = ("--parameter", "Stage=dev", "--markdown")
    closed = access(folder, "diff", *words, "HEAD", "HEAD~1")
    assert closed.returncode == 0, closed.stderr
    assert "### Who loses access" in closed.stdout
    same = access(folder, "diff", "HEAD", "--parameter", "Stage=dev")
    assert (same.returncode, same.stdout) == (0, "Nobody gains and nobody loses access.\n")


def test_a_parameter_of_samconfig_is_a_changed_line(folder: Path) -> None:
    """The template is the same; what it is deployed with is not."""
    git(folder, "init", "-q")
    edit(folder, "*/${Stage}/GET/members", "*/live/GET/members")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "samconfig.toml").write_text(SAMCONFIG.replace("Stage=live", "Stage=test"))
    changed = access(folder, "diff", "HEAD", "--config-env", "live")
    assert changed.returncode == 0, changed.stderr
    assert "Notifier may no longer GET /members of Api from the internet" in changed.stdout
    assert '      + parameter_overrides = "Stage=test"' in changed.stdout


def test_diff_reads_nested_templates_of_a_revision(tmp_path: Path) -> None:
    """What changed in one of them is named by its own line."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    network = tmp_path / "stacks" / "network.yaml"
    condition = "              StringEqualsIfExists:\n                aws:PrincipalAccount"
    text = network.read_text()
    assert condition in text
    network.write_text(text.replace(condition, condition.replace("IfExists", "")))
    changed = access(tmp_path, "diff", "HEAD")
    assert changed.returncode == 0, changed.stderr + changed.stdout
    assert "anonymous may no longer GET /claim-types of ReferenceApi" in changed.stdout
    assert "    stacks/network.yaml:" in changed.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing.yaml",), "nothing.yaml: cannot be read"),
        (("check", "--contract", "none.yaml"), "none.yaml: cannot be read"),
        (("diff",), "diff takes BASE, or BASE and HEAD"),
        (("diff", "nowhere"), "not a git repository"),
        (("--config-env", "none"), "has no environment none: it has live"),
        (("--parameter", "Stage"), "--parameter is NAME=VALUE, not Stage"),
        (("--parameter", "Stag=prod"), "--parameter Stag: template.yaml has no such parameter"),
        (("--principal", "Partner"), "--principal is NAME=POLICY.JSON, not Partner"),
        (("--facts", "template.yaml"), "template.yaml: is not YAML"),
        (("a.yaml", "b.yaml"), "one template at a time: a.yaml b.yaml"),
        (("verify",), "nothing is running here: start it with `make up`"),
        (("--parameters",), "unrecognized arguments: --parameters"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(
    words: tuple[str, ...], said: str, folder: Path
) -> None:
    """With exit status 2, which no gain and no breach has."""
    done = access(folder, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
