"""From process start to the first answer: our functions and the same written the usual way.

    .venv/local/bin/python -m benchmarks.coldstart

Each start is a new process of Lambda's own runtime client; ours and the usual one take turns in
one run. What they import comes from one environment, already compiled.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.coldstart.services import Services

ROUNDS = 15
ROOT = Path(__file__).parents[2]
USUAL = Path(__file__).parent / "usual"
ENVIRONMENTS = Path(sys.prefix).parent
RUNTIME = ENVIRONMENTS / "runtime" / "bin" / "python"


def _packages() -> Path:
    """The packages of an environment of the functions' own Python, `local` or Lambda's."""
    print_version = "import sys; print('python%d.%d' % sys.version_info[:2])"
    name = subprocess.check_output([str(RUNTIME), "-c", print_version], text=True).strip()
    for environment in ("local", name):
        found = ENVIRONMENTS / environment / "lib" / name / "site-packages"
        if found.is_dir():
            return found
    raise SystemExit(f"the functions run on {name}: make .venv/{name}/.installed")


PACKAGES = _packages()
LAYERS = [ROOT / "layers" / "service", ROOT / "layers" / "signing"]

# By function: its event, ours and the usual, each handler and where it is, and the limit.
FUNCTIONS = {
    "claims": ("claims/create", "claims", "usual_claims", 0.85),
    "notifier": ("notifier/claim-created", "notifier", "usual_notifier", 0.80),
}
IMPORTS = (
    "import boto3; boto3.resource('dynamodb')",
    "import boto3; boto3.client('dynamodb')",
    "import botocore.session; botocore.session.Session().create_client('dynamodb')",
    "import pydantic; type('M', (pydantic.BaseModel,), {})",
    "from aws_lambda_powertools import Logger",
    "from aws_lambda_powertools import Metrics",
    "from aws_lambda_powertools.event_handler import APIGatewayRestResolver",
    "from aws_lambda_powertools.utilities.batch import BatchProcessor",
    "import requests",
    "import botocore.auth, botocore.awsrequest",
    "import signing.session",
    "import insurance.table",
)


def environment(port: int, *code: Path) -> dict[str, str]:
    """What Lambda and the template give a function, with everything on one loopback port."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, [*code, *LAYERS, PACKAGES])),
        "PYTHONDONTWRITEBYTECODE": "",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "TABLE_NAME": "table",
        "UNDELIVERED_TABLE_NAME": "undelivered",
        "SET_ASIDE_AFTER_SECONDS": "36000",
        "CLAIMS_API_URL": f"http://127.0.0.1:{port}/dev",
        "CLAIMS_API_ID": "a1b2c3d4e5",
    }


def start(services: Services, package: str, code: Path, event: bytes) -> float:
    """Seconds from the start of a process to its answer."""
    services.expect(event)
    variables = environment(services.server_port, code)
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(RUNTIME), "-m", "awslambdaric", f"{package}.handler.lambda_handler"],
        env=variables,
        cwd=code,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    answered = services.answered.wait(30)
    process.kill()
    process.wait()
    if not answered or not any(
        good in services.answer for good in (b'"statusCode": 201', b'"batchItemFailures": []')
    ):
        raise SystemExit(f"{package}: {services.answer[:500]!r}")
    return services.at - began


def compare(services: Services, name: str) -> bool:
    """Measure one function's two variants in turn; whether ours keeps to its limit."""
    event_name, ours, usual, limit = FUNCTIONS[name]
    event = (ROOT / "events" / f"{event_name}.json").read_bytes()
    code = {ours: ROOT / "functions" / name, usual: USUAL}
    for package, folder in code.items():
        start(services, package, folder, event)
    rounds = []
    for number in range(ROUNDS):
        order = list(code) if number % 2 else list(code)[::-1]
        rounds.append({one: start(services, one, code[one], event) * 1000 for one in order})
    for package, label in ((ours, "ours"), (usual, "usual")):
        times = sorted(one[package] for one in rounds)
        middle = statistics.median(times)
        print(f"{name:9} {label:6} {middle:5.0f} ms  ({times[0]:.0f} to {times[-1]:.0f})")
    ratios = sorted(one[ours] / one[usual] for one in rounds)
    ratio = statistics.median(ratios)
    print(
        f"{name:9} ratio  {ratio:5.2f}     ({ratios[0]:.2f} to {ratios[-1]:.2f} in {ROUNDS} "
        f"rounds; at most {limit:.2f})"
    )
    return ratio <= limit


def imports() -> None:
    """What each import costs by itself, above bare Python."""
    variables = environment(9)

    def seconds(code: str) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([str(RUNTIME), "-c", code], env=variables, check=True)
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    bare = seconds("pass")
    print(f"\nbare Python {bare * 1000:.0f} ms; above it, each in a process of its own:")
    for code in IMPORTS:
        print(f"{(seconds(code) - bare) * 1000:6.0f} ms  {code}")


def main() -> int:
    """Print the figures; 1 where a ratio is above its limit."""
    with Services() as services:
        threading.Thread(target=services.serve_forever, daemon=True).start()
        kept = [compare(services, name) for name in FUNCTIONS]
        services.shutdown()
    imports()
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
