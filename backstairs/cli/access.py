"""Who may call what, from where, and why: of a template, its nested ones included.

  backstairs access [TEMPLATE]                  the matrix of every route, caller and way in
  backstairs access diff BASE [HEAD]            who gains and who loses, between two git revisions
                                                or files; HEAD is the working tree
  backstairs access check [TEMPLATE]            whether it keeps to its contract (access.yaml)
  backstairs access findings [TEMPLATE]         what is wrong with it, why, and what mends it
  backstairs access reach [TEMPLATE]            who reaches the endpoints by packets: names, routes,
                                                network ACLs, security groups
  backstairs access verify [TEMPLATE]           makes the calls for real, through the doors of what
                                                `make up` runs here, and prints where they disagree

But for verify it asks nobody: no account, no network, no deployment. Exit status: 0; 1 when
somebody gains access or may (diff), when the contract is broken (check), when an error is found
that nobody has accepted (findings), when proof and door disagree or no call could be made (verify);
2 when something cannot be read. A finding is accepted beside what it is about: `Metadata:
{Backstairs: {Accept: {ID: "the reason"}}}`, on the resource or the template.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backstairs.cli.project import ProblemError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from backstairs.access import Principal
    from backstairs.report.diff import Side
    from backstairs.report.facts import Facts
    from backstairs.template.model import Application

TEMPLATE, CONTRACT = "template.yaml", "access.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    import argparse

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = (
        "%(prog)s [diff BASE [HEAD] | check | findings | reach | verify] [TEMPLATE] [options]"
    )
    parser.add_argument("words", nargs="*", metavar="...", help="see above")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter's value, as often as needed",
    )
    parser.add_argument(
        "--config-env",
        default="default",
        help="the environment of samconfig.toml whose template and parameters count",
    )
    parser.add_argument("--facts", type=Path, help="YAML of what the template does not say")
    parser.add_argument(
        "--principal",
        action="append",
        default=[],
        metavar="NAME=POLICY.JSON",
        help="a role of this account more, with this policy",
    )
    parser.add_argument(
        "--template", default=None, help=f"of git revisions, which file (default: {TEMPLATE})"
    )
    parser.add_argument("--contract", type=Path, help=f"default: {CONTRACT} beside the template")
    parser.add_argument("--why", action="store_true", help="every reason, of refusals too")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--json", action="store_true", help="the matrix as JSON, with every cell; findings; reach"
    )
    how.add_argument("--markdown", action="store_true", help="for a pull request")
    how.add_argument("--html", type=Path, metavar="FILE", help="the matrix as one page, with a map")
    how.add_argument("--sarif", action="store_true", help="findings, for code hosts")


def run(options: argparse.Namespace) -> int:
    """Print what was asked for; see above for the exit status."""
    from backstairs.report.contract import ContractError
    from backstairs.report.facts import FactsError
    from backstairs.report.revisions import RevisionError
    from backstairs.template.load import TemplateError

    action, words = "", list(options.words)
    if words and words[0] in _ACTIONS:
        action, words = words[0], words[1:]
    try:
        return _done(options, action, words)
    except (ProblemError, ContractError, FactsError, RevisionError, TemplateError) as problem:
        print(f"backstairs: {problem}", file=sys.stderr)
        return 2


def _done(options: argparse.Namespace, action: str, words: list[str]) -> int:
    if options.sarif and action != "findings":
        raise ProblemError("--sarif is for findings")
    return _ACTIONS[action](options, words)


def _matrix(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.report.formats import html, json_text, markdown, text
    from backstairs.report.matrix import matrix_of

    facts = _facts(options)
    application = _application(options, _one_template(options, words), facts)
    matrix = matrix_of(application, facts, _principals(options, application))
    if options.html:
        _write(options.html, html.render(matrix))
        print(f"{options.html}: open it in a browser")
    elif options.json:
        _print(json_text.render(matrix))
    else:
        _print(
            markdown.render(matrix) if options.markdown else text.render(matrix, why=options.why)
        )
    return 0


def _check(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.report.beyond import beyond
    from backstairs.report.check import check
    from backstairs.report.contract import read_contract
    from backstairs.report.formats import check_text, markdown
    from backstairs.report.matrix import matrix_of

    if options.json or options.html:
        raise ProblemError("check has neither JSON nor a page: its exit status is the answer")
    template, facts = _one_template(options, words), _facts(options)
    path = options.contract or template.parent / CONTRACT
    contract = read_contract(path)
    application = _application(options, template, facts)
    more = _principals(options, application)
    matrix = matrix_of(application, facts, more, contract.named)
    others = beyond(matrix, contract, facts.of_calls)
    broken = check(matrix, contract, others)
    if options.markdown:
        _print(markdown.render_check(broken, matrix, str(path)))
    else:
        _print(check_text.render(broken, matrix, str(path), others))
    return 1 if broken else 0


def _diff(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.report.diff import diff
    from backstairs.report.formats import diff_text, markdown

    if options.json or options.html:
        raise ProblemError("diff has neither JSON nor a page: --markdown is for a pull request")
    if not 1 <= len(words) <= 2:  # noqa: PLR2004 - as the usage says
        raise ProblemError("diff takes BASE, or BASE and HEAD: git revisions or files")
    facts = _facts(options)
    with contextlib.ExitStack() as stack:
        base = stack.enter_context(_version(options, words[0]))
        head = stack.enter_context(_version(options, *words[1:]))
        before, after = _side(options, base, facts), _side(options, head, facts)
    _check_parameters(options, before.application, after.application)
    found = diff(before, after, facts)
    _print(markdown.render_diff(found) if options.markdown else diff_text.render(found))
    return 1 if found.opens else 0


def _findings(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.report.findings import find
    from backstairs.report.formats import findings_text, sarif

    if options.markdown or options.html:
        raise ProblemError("findings are text, --json or --sarif, which is for a pull request")
    template = _one_template(options, words)
    found = find(_application(options, template, _facts(options)))
    if options.sarif:
        _print(sarif.render(found, template.parent))
    else:
        _print((findings_text.as_json if options.json else findings_text.render)(found))
    return 1 if any(one.is_open for one in found) else 0


def _reach(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.report.formats import reach_text
    from backstairs.report.reach import reach

    if options.markdown or options.html:
        raise ProblemError("reach is text or --json")
    application = _application(options, _one_template(options, words), _facts(options))
    found = reach(application)
    if options.json:
        _print(reach_text.as_json(application, found))
    else:
        _print(reach_text.render(application, found, why=options.why))
    return 0


def _verify(options: argparse.Namespace, words: list[str]) -> int:
    from backstairs.account.client import Account
    from backstairs.cli import verify
    from backstairs.cli.project import Project, reaching
    from backstairs.report.contract import Contract, read_contract
    from backstairs.report.matrix import matrix_of

    if options.markdown or options.html or options.json:
        raise ProblemError("verify is text: its exit status is the answer")
    running = Project.here().running()
    template, facts = _one_template(options, words), _facts(options)
    path = options.contract or template.parent / CONTRACT
    contract = read_contract(path) if options.contract or path.is_file() else Contract(())
    application = _application(options, template, facts)
    matrix = matrix_of(application, facts, also=contract.named)
    account, stranger = (
        Account(running.account_url, running.region, *account)
        for account in ((), (verify.STRANGERS_ACCOUNT,))
    )
    with reaching(running):
        lines, agree = verify.told(verify.verify(matrix, running, account, stranger))
    _print("".join(f"{line}\n" for line in lines))
    return 0 if agree else 1


_ACTIONS = {
    "": _matrix,
    "diff": _diff,
    "check": _check,
    "findings": _findings,
    "reach": _reach,
    "verify": _verify,
}


def _print(text: str) -> None:
    print(text, end="")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProblemError(f"{path}: cannot be written: {error.strerror}") from error


def _one_template(options: argparse.Namespace, words: list[str]) -> Path:
    if len(words) > 1:
        raise ProblemError(f"one template at a time: {' '.join(words)}")
    if words or options.template:
        return Path(words[0] if words else options.template)
    from backstairs.template.samconfig import read_deployment

    return Path(read_deployment(Path(), options.config_env).template or TEMPLATE)


@contextlib.contextmanager
def _version(options: argparse.Namespace, word: str | None = None) -> Iterator[Path]:
    """The template of a revision, or a file, or that of the working tree."""
    from backstairs.report.revisions import checked_out

    if word is None:
        yield _one_template(options, [])
    elif Path(word).is_file():
        yield Path(word)
    else:
        template = _one_template(options, [])
        with checked_out(word, template.parent) as folder:
            yield folder / template.name


def _side(options: argparse.Namespace, template: Path, facts: Facts) -> Side:
    from backstairs.report.diff import Side
    from backstairs.template.samconfig import FILE

    application = _read(options, template, facts)
    names = {application.file, *(source.file for source in application.sources.values())}
    paths = {name: template.parent / name for name in sorted(names)}
    paths[FILE] = _configured(template) / FILE
    files = {
        name: path.read_text(encoding="utf-8").splitlines()
        for name, path in paths.items()
        if path.is_file()
    }
    return Side(application, files, _principals(options, application))


def _application(options: argparse.Namespace, template: Path, facts: Facts) -> Application:
    """The template as it would be deployed."""
    application = _read(options, template, facts)
    _check_parameters(options, application)
    return application


def _check_parameters(options: argparse.Namespace, *applications: Application) -> None:
    """A misspelt name would leave another value in its place."""
    known = {name for one in applications for name in one.parameters}
    for word in options.parameter:
        name = word.partition("=")[0]
        if name not in known:
            raise ProblemError(f"--parameter {name}: {applications[0].file} has no such parameter")


def _read(options: argparse.Namespace, template: Path, facts: Facts) -> Application:
    from backstairs.template.application import ACCOUNT, REGION, read_application
    from backstairs.template.samconfig import read_deployment

    deployment = read_deployment(_configured(template), options.config_env)
    given: dict[str, str] = {}
    for word in options.parameter:
        name, equals, value = word.partition("=")
        if not equals:
            raise ProblemError(f"--parameter is NAME=VALUE, not {word}")
        given[name] = value
    return read_application(
        template,
        parameters={**deployment.parameters, **given},
        account=facts.account or ACCOUNT,
        region=facts.region or deployment.region or REGION,
        policies=facts.policies,
    )


def _configured(template: Path) -> Path:
    """The nearest folder with a samconfig.toml: the template's, or one above."""
    from backstairs.template.samconfig import FILE

    folders = (template.parent, *template.resolve().parent.parents)
    return next((one for one in folders if (one / FILE).is_file()), template.parent)


def _facts(options: argparse.Namespace) -> Facts:
    from backstairs.report.facts import Facts, read_facts

    return read_facts(options.facts) if options.facts else Facts()


def _principals(options: argparse.Namespace, application: Application) -> Mapping[str, Principal]:
    from backstairs.report.callers import granted
    from backstairs.report.facts import read_policy

    found = {}
    for word in options.principal:
        name, equals, file = word.partition("=")
        if not equals:
            raise ProblemError(f"--principal is NAME=POLICY.JSON, not {word}")
        document = read_policy(Path(file))
        found[name] = granted(application.account, [(file, document)], name)
    return found
