"""Warm GETs through the bare floor and through our door, in turn, in one run.

    .venv/local/bin/python -m benchmarks.door

The client is the same for both: one keep-alive connection a thread, the same signed bytes.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from backstairs.http.servers import listen, port_of
from benchmarks.door import ours

ROUNDS = 9
REQUESTS = 1000
HERE = Path(__file__).parent
ENVIRONMENTS = Path(sys.prefix).parent


def signed() -> bytes:
    """A signed GET as bytes, good for five minutes."""
    host = f"abcde12345.execute-api.{ours.REGION}.amazonaws.com"
    request = AWSRequest("GET", f"https://{host}/dev/members/m-1001")
    SigV4Auth(Credentials(ours.KEY, ours.SECRET), "execute-api", ours.REGION).add_auth(request)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"GET /dev/members/m-1001 HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode()


def one_client(port: int, count: int, seconds: list[float]) -> None:
    """Send requests one after another; adds each one's seconds."""
    request = signed()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count):
            start = time.perf_counter()
            connection.sendall(request)
            answer = connection.recv(65536)
            while b'{"ok":true}' not in answer:
                if b" 200 " not in answer.partition(b"\r\n")[0]:
                    raise SystemExit(f"not admitted: {answer!r}")
                answer += connection.recv(65536)
            seconds.append(time.perf_counter() - start)


def measure(port: int, clients: int) -> tuple[float, float, float]:
    """Run one round; returns p50 and p99 in ms, and requests a second."""
    seconds: list[float] = []
    threads = [
        threading.Thread(target=one_client, args=(port, REQUESTS // clients, seconds))
        for _ in range(clients)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000, len(seconds) / elapsed


def main() -> None:
    """Print both doors' figures and the ratios of the rounds."""
    python = str(ENVIRONMENTS / "runtime" / "bin" / "python")
    with listen() as listener:
        floor_port = port_of(listener)
    floor = subprocess.Popen([sys.executable, str(HERE / "floor.py"), str(floor_port), python])
    door = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.door.ours", python], stdout=subprocess.PIPE, text=True
    )
    try:
        door_port = int((door.stdout and door.stdout.readline()) or 0)
        ports = {"floor": floor_port, "door": door_port}
        time.sleep(2)
        for port in ports.values():
            measure(port, 8)
        for clients in (1, 8):
            rounds = [
                {name: measure(port, clients) for name, port in ports.items()}
                for _ in range(ROUNDS)
            ]
            for name in ports:
                p50, p99, rate = (
                    statistics.median(one[name][i] for one in rounds) for i in range(3)
                )
                figures = f"p50 {p50:.2f} ms  p99 {p99:.2f} ms  {rate:.0f}/s"
                print(f"{clients} client(s)  {name:6} {figures}")
            ratios = sorted(one["door"][0] / one["floor"][0] for one in rounds)
            print(
                f"{clients} client(s)  door/floor p50: {statistics.median(ratios):.2f} "
                f"({ratios[0]:.2f} to {ratios[-1]:.2f} in {ROUNDS} rounds)"
            )
    finally:
        floor.terminate()
        door.terminate()
        floor.wait()
        door.wait()


if __name__ == "__main__":
    main()
