"""A running application: door, functions and network over one account."""

from __future__ import annotations

import asyncio
import contextlib
import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from backstairs.access import Endpoint, Kind, Origin
from backstairs.account.api_keys import AccountKeys
from backstairs.account.apis import deployed_apis
from backstairs.account.endpoints import endpoint_dns_name
from backstairs.account.endpoints import origins as endpoint_origins
from backstairs.account.functions import event_sources
from backstairs.account.functions import functions as deployed_functions
from backstairs.account.identities import AccountIdentities
from backstairs.gateway.door import Door
from backstairs.gateway.routes import Directory
from backstairs.http.servers import Servers
from backstairs.local.control import Control
from backstairs.local.running import OpenApi, OpenOrigin, Running
from backstairs.network.proxy import Certificates, Network, names_of
from backstairs.runtime.launcher import Launcher
from backstairs.runtime.pool import Pool, Worker
from backstairs.runtime.streams import StreamPoller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

    from backstairs.account.client import Account
    from backstairs.http.asgi import App
    from backstairs.runtime.process import Children

WORKERS = 4

# Nobody's: an endpoint of a VPC that the application does not know, and a documentation address
# (RFC 5737) for a client on the internet.
ANOTHER_ENDPOINT = Origin(
    "another-endpoint", Endpoint("vpce-0another00000000", "vpc-0another000000000"), "10.99.0.10"
)
INTERNET = Origin("internet", None, "203.0.113.10")
# An address out of the ranges that GitHub publishes for its webhooks.
GITHUB = Origin("github", None, "140.82.115.10")


@contextlib.asynccontextmanager
async def run(
    account: Account,
    stack_name: str,
    *,
    children: Children,
    python: Path,
    state: Path,
    backends: Mapping[str, App] = MappingProxyType({}),
) -> AsyncIterator[Running]:
    """Open the doors to what is deployed; on leaving, close them and end the workers.

    `python` is the interpreter of the functions, `state` a folder for code, logs and certificates.
    `backends` are services of the networks, by their DNS names.
    """
    logs = state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    deployed = await asyncio.to_thread(deployed_apis, account)
    endpoints = await asyncio.to_thread(endpoint_origins, account)
    functions = await asyncio.to_thread(deployed_functions, account, stack_name, state / "code")
    sources = await asyncio.to_thread(event_sources, account)
    identities = AccountIdentities(account.url)
    await asyncio.to_thread(identities.refresh)
    certificates = Certificates(state, account.region, backends)

    plain, tls = Servers(), Servers(certificates.server)
    networks: dict[str | None, Network] = {}
    launcher = Launcher(
        account=account,
        children=children,
        python=python,
        logs=logs,
        networks=networks,
        certificates=certificates.bundle,
    )
    pools = {}
    for function in functions:
        workers = [Worker(plain.add) for _ in range(WORKERS)]
        pools[function.arn] = Pool(function, workers, launcher.start)
    apis = [one.api for one in deployed]
    settings = {(one.api.api_id, one.api.stage): one.settings for one in deployed}
    keys = AccountKeys(account)
    door = Door(Directory(apis), pools, identities, account.region, settings, keys=keys)

    origins = [*endpoints, ANOTHER_ENDPOINT, INTERNET, GITHUB]
    ports = {origin.name: plain.add(partial(door.serve, origin)) for origin in origins}
    tls_ports = {origin.name: tls.add(partial(door.serve, origin)) for origin in origins}
    inside = [(re.compile(re.escape(name)), tls.add(app)) for name, app in backends.items()]
    for vpc_id in {function.vpc_id for function in functions}:
        known = _known(vpc_id, endpoints, tls_ports, account.region)
        networks[vpc_id] = Network(partial(_port_of_name, known + inside if vpc_id else known))

    pollers = [
        StreamPoller(account, source, pools[source.function_arn])
        for source in sources
        if source.function_arn in pools
    ]
    by_label = {pool.function.label: pool for pool in pools.values()}
    control = plain.add(Control(door.decisions, by_label))
    running = Running(
        account_url=account.url,
        region=account.region,
        control=control,
        origins=[
            OpenOrigin(
                origin.name,
                ports[origin.name],
                endpoint_dns_name(account, origin.endpoint.endpoint_id)
                if origin in endpoints and origin.endpoint is not None
                else None,
            )
            for origin in origins
        ],
        apis=[
            OpenApi(
                api.name,
                api.api_id,
                api.stage,
                sorted({route.path for route in api.routes}),
                private=api.private,
                http=api.kind is Kind.HTTP,
            )
            for api in apis
        ],
        roles={name: pool.function.role_arn for name, pool in sorted(by_label.items())},
    )

    async with asyncio.TaskGroup() as tasks:
        serving = [tasks.create_task(servers.run()) for servers in (plain, tls)]
        background = [tasks.create_task(one.keep_fresh()) for one in (identities, keys)]
        try:
            await plain.started()
            await tls.started()
            for network in networks.values():
                await network.start()
            await asyncio.gather(*(pool.warm() for pool in pools.values()))
            background += [tasks.create_task(poller.run()) for poller in pollers]
            yield running
        finally:
            for task in background:
                task.cancel()
            for pool in pools.values():
                pool.stop()
            for network in networks.values():
                network.stop()
            plain.stop()
            tls.stop()
            await asyncio.gather(*serving, launcher.ended())


def _known(
    vpc_id: str | None, endpoints: Iterable[Origin], ports: Mapping[str, int], region: str
) -> list[tuple[re.Pattern[str], int]]:
    """The names of APIs that a network knows, and the ports that they lead to; None: internet."""
    if vpc_id is None:
        return [(re.compile(rf".*\.{region}\.amazonaws\.com"), ports["internet"])]
    return [
        (names_of(origin.endpoint, region), ports[origin.name])
        for origin in endpoints
        if origin.endpoint is not None and origin.endpoint.vpc_id == vpc_id
    ]


def _port_of_name(known: list[tuple[re.Pattern[str], int]], name: str) -> int | None:
    for pattern, port in known:
        if pattern.fullmatch(name):
            return port
    return None
