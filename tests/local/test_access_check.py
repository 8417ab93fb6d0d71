"""One route, two functions of one code: the one whose role holds the grant gets an answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.application import Application, copy_application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SWITCHED_OFF = """one without the grant
    Type: String
    Default: "false"
"""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """`backstairs up` on an application whose AccessCheck is on."""
    folder = copy_application(tmp_path_factory.mktemp("access-check"))
    template = (folder / "template.yaml").read_text("utf-8")
    assert SWITCHED_OFF in template
    switched_on = SWITCHED_OFF.replace("false", "true")
    (folder / "template.yaml").write_text(template.replace(SWITCHED_OFF, switched_on), "utf-8")
    running = Application(folder)
    try:
        running.wait_until_up()
        yield running
    finally:
        running.end()


def invoked(checked: Application, function: str, event: object, folder: Path) -> Any:
    """What a function answers to an event."""
    path = folder / "event.json"
    path.write_text(json.dumps(event), "utf-8")
    done = checked.command("invoke", function, "--event", str(path))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_grant_alone_tells_them_apart(checked: Application, tmp_path: Path) -> None:
    """Through the endpoint, signed by their own roles, on the same route."""
    allowed = invoked(checked, "allowed", {}, tmp_path)
    assert allowed == {"status": 200, "error": None}
    denied = invoked(checked, "denied", {}, tmp_path)
    assert denied == {"status": 403, "error": "AccessDeniedException"}


def test_who_gets_in_hears_of_the_service(checked: Application, tmp_path: Path) -> None:
    """A member that nobody knows is the service's 404, for the one that gets to it."""
    event = {"memberId": "m-9999"}
    assert invoked(checked, "allowed", event, tmp_path)["status"] == 404
    assert invoked(checked, "denied", event, tmp_path)["status"] == 403
