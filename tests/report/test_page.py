"""The page in a real browser: what a reviewer sees, reaches by keyboard, and can rely on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backstairs.access import Origin, Source
from backstairs.report.entrances import Entrance
from backstairs.report.formats.html import page_data, render
from backstairs.report.matrix import Matrix, matrix_of
from backstairs.template.model import DeclaredFunction
from tests.browser import Browser
from tests.report import built

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of this file."""
    with Browser() as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages are written."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def page(browser: Browser, folder: Path) -> Browser:
    """The page of the small application, opened anew."""
    show(browser, folder, matrix_of(built.application()))
    return browser


DRAWN = """new Promise(done => {
    const table = document.getElementById("table");
    const look = () => table.dataset.drawn ? done(true) : requestAnimationFrame(look);
    look();
})"""


def show(browser: Browser, folder: Path, matrix: Matrix) -> None:
    """Open a matrix's page, drawn to the end."""
    path = folder / "page.html"
    path.write_text(render(matrix), "utf-8")
    browser.requested.clear()
    browser.errors.clear()
    browser.open(path.as_uri())
    assert browser.run(DRAWN)


def text(browser: Browser, selector: str) -> str:
    """The text of an element."""
    found: str = browser.run(f"document.querySelector({selector!r}).textContent")
    return found


def choose(browser: Browser, form: str, **values: str) -> None:
    """Fill in a form as a user does: each value is an option's text, or what is typed."""
    for name, value in values.items():
        browser.run(
            f"""(() => {{
                const field = document.getElementById({form!r}).elements[{name!r}];
                const option = [...(field.options || [])].find(one => one.text === {value!r});
                field.value = option ? option.value : {value!r};
                field.dispatchEvent(new Event("input", {{bubbles: true}}));
                field.dispatchEvent(new Event("change", {{bubbles: true}}));
            }})()"""
        )


def cell(route: str, caller: str) -> str:
    """The expression for a cell of the table."""
    return f"""(() => {{
        const head = [...document.getElementById("table").tHead.rows[0].cells];
        const at = head.findIndex(one => one.textContent === {caller!r});
        const row = [...document.querySelectorAll("tbody tr")].find(
            one => one.cells[0].textContent === {route!r});
        return row.cells[at];
    }})()"""


def test_the_table_holds_every_verdict(page: Browser) -> None:
    """The widest of all ways in, or those of one."""
    assert text(page, "#count").startswith("4 routes, ")
    member = "GET /members/{memberId}"
    assert page.run(cell(member, "NotifierFunction") + ".className") == "allowed"
    assert page.run(cell(member, "ClaimsFunction") + ".className") == "refused"

    choose(page, "filter", entrance="the internet")
    assert page.run(cell(member, "NotifierFunction") + ".className") == "refused"


def test_filters(page: Browser) -> None:
    """By route, by caller, by verdict; nothing is said to match where nothing does."""
    choose(page, "filter", route="claim-types")
    assert text(page, "#count").startswith("1 routes, ")
    choose(page, "filter", route="", caller="notifier")
    assert " 1 callers, " in text(page, "#count")
    choose(page, "filter", caller="", verdict="may call")
    assert not page.run(
        "[...document.querySelectorAll('tbody tr:not(.api)')].some("
        "row => !row.querySelector('td.allowed'))"
    )
    choose(page, "filter", route="no such route")
    assert text(page, "#count") == "nothing matches"


def test_a_cell_gives_its_reasons(page: Browser) -> None:
    """Which statement, in which line, how the rule is known; each way in by itself."""
    page.run(cell("GET /members/{memberId}", "NotifierFunction") + ".click()")
    why = text(page, "#why")
    assert "may call from Endpoint" in why
    assert "may not from the internet" in why
    assert "Allow statement 1 of NotifierFunctionRolePolicy0" in why
    assert "template.yaml:60" in why
    assert "AWS document" in why


def test_by_keyboard(page: Browser) -> None:
    """One stop in the table, arrows from cell to cell, Enter for the reasons."""
    page.run("document.querySelector('#table td[tabindex=\"0\"]').focus()")
    assert page.run("document.querySelectorAll('#table td[tabindex=\"0\"]').length") == 1
    page.press("ArrowRight", code=39)
    page.press("ArrowDown", code=40)
    at = page.run("document.activeElement.dataset.at")
    assert at == "1 1"
    page.press("Enter", code=13, text="\r")
    assert page.run("document.activeElement.classList.contains('chosen')")
    assert "GET /claims/{memberId}" in text(page, "#why h2")
    # The first stop of the page is the first button.
    page.run("document.activeElement.blur()")
    page.open(page.run("location.href"))
    page.press("Tab", code=9)
    assert page.run("document.activeElement.id") == "show-matrix"


def test_the_map_shows_a_way_and_what_stops_it(page: Browser) -> None:
    """Two ends and a caller: what may be called between them, or the reason why not."""
    page.run("document.getElementById('show-map').click()")
    choose(page, "ends", **{"caller": "NotifierFunction", "from": "Endpoint"})
    assert page.run("document.querySelectorAll('svg path.allowed').length") >= 2
    assert "may call GET /members/{memberId} of ClaimsApi" in text(page, "#why")
    choose(page, "ends", **{"from": "the internet"})
    assert "ClaimsApi is private and the call comes from the internet" in text(page, "#why")
    boxes = "[...document.querySelectorAll('.box')]"
    page.run(
        f"{boxes}.find(one => one.dataset.name === 'Endpoint')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert "Endpoint to " in text(page, "#why h2")


def test_a_way_begins_in_the_networks(browser: Browser, folder: Path) -> None:
    """A function that reaches no endpoint is told so, by the first thing that stops its packets."""
    alone = DeclaredFunction("LonelyFunction", "arn:lonely", Source(built.FILE, 7), None)
    show(browser, folder, matrix_of(built.application(functions=(alone,))))
    browser.run("document.getElementById('show-map').click()")
    choose(browser, "ends", **{"from": "LonelyFunction"})
    why = text(browser, "#why")
    assert "✗ not reachable Endpoint" in why
    assert "it runs in no VPC" in why
    assert "may call" not in why


def test_nothing_comes_from_elsewhere(page: Browser) -> None:
    """The page is one file; what it may load is nothing, and its own script is known by digest."""
    page.run("document.getElementById('show-map').click()")
    assert [url.partition("?")[0].rpartition("/")[2] for url in page.requested] == ["page.html"]
    page.run(
        "(() => { const one = document.createElement('script'); one.text = 'window.forged = 1';"
        "document.body.append(one); })()"
    )
    assert page.run("window.forged === undefined")
    assert page.errors == []


def test_text_is_never_markup(browser: Browser, folder: Path) -> None:
    """Names come from other people's templates."""
    name = "</script><img src=x onerror=window.forged=1><script>window.forged=1</script>"
    given = built.application()
    (claims, reference) = given.apis
    renamed = replace(claims, name=name, api=replace(claims.api, name=name))
    show(browser, folder, matrix_of(replace(given, file=name, apis=(renamed, reference))))
    assert browser.run("window.forged === undefined && document.images.length === 0")
    assert name in text(browser, "#of")
    assert name in text(browser, "tr.api")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in(scheme: str, page: Browser) -> None:
    """Text stands out from its ground at 4.5 to 1 or more (WCAG 2.2, 1.4.3)."""
    page.prefer(scheme)
    for selector in ("body", "#summary", "td.allowed", "td.refused", "#why .soft", "thead th"):
        colours = page.run(
            f"""(() => {{
                const one = document.querySelector({selector!r});
                let behind = one;
                while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)")
                    behind = behind.parentElement;
                return [getComputedStyle(one).color, getComputedStyle(behind).backgroundColor];
            }})()"""
        )
        assert contrast(*colours) >= 4.5, (selector, colours)
    page.prefer("light")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def large() -> Matrix:
    """100 routes, 100 roles and 6 origins: 60,000 cells and some."""
    routes = [("GET", f"/things{number}/{{id}}") for number in range(100)]
    api = built.api("LargeApi", routes, allows=built.CLAIMS_POLICY)
    roles = tuple(
        built.role(f"Function{number}", built.grant(f"*/dev/GET/things{number}/*"))
        for number in range(100)
    )
    matrix = matrix_of(replace(built.application(), apis=(api,), principals=roles))
    origins = tuple(
        Entrance(f"office {number}", Origin(f"office {number}"), "an office")
        for number in range(6 - len(matrix.entrances))
    )
    by_way = {
        one: [cell for cell in matrix.cells if cell.entrance is one] for one in matrix.entrances
    }
    cells = (
        *matrix.cells,
        *(
            replace(cell, entrance=origin)
            for origin in origins
            for cell in by_way[matrix.entrances[-1]]
        ),
    )
    return replace(matrix, entrances=(*matrix.entrances, *origins), cells=cells)


def test_sixty_thousand_cells(browser: Browser, folder: Path) -> None:
    """They are drawn in slices: the page answers in between."""
    matrix = large()
    assert len(matrix.cells) >= 60_000
    show(browser, folder, matrix)
    rows = "document.querySelectorAll('tbody tr:not(.api)').length"
    assert browser.run(rows) == 100
    frames = browser.run(
        """new Promise(done => {
            let frames = 0;
            const table = document.getElementById("table");
            const before = table.dataset.drawn;
            const field = document.getElementById("filter").elements.verdict;
            field.value = "refused";
            field.dispatchEvent(new Event("input", {bubbles: true}));
            const look = () => {
                frames++;
                table.dataset.drawn !== before ? done(frames) : requestAnimationFrame(look);
            };
            look();
        })"""
    )
    assert frames > 2
    browser.run(cell("GET /things7/{id}", "Function8") + ".click()")
    assert "Function8" in text(browser, "#why")
    data = page_data(matrix)
    assert len(data["decisions"]) < len(matrix.cells) / 2


def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`backstairs access --html FILE`; a file that cannot be written is said in one line."""
    template = tmp_path / "template.yaml"
    template.write_text(
        json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-m", "backstairs", "access", "--html"]
    done = subprocess.run([*command, "page.html"], capture_output=True, text=True, check=True)
    assert done.stdout == "page.html: open it in a browser\n"
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    failed = subprocess.run([*command, "no/page.html"], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert (
        failed.stderr == "backstairs: no/page.html: cannot be written: No such file or directory\n"
    )
