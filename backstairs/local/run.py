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
from backstairs.account.apis import deployed_stages
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
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from pathlib import Path

    from backstairs.account.client import Account
    from backstairs.http.asgi import App
    from backstairs.runtime.process import Children

WORKERS = 4
_WARM_SECONDS = 0.15

# Nobody's: an endpoint of a VPC that the application does not know, and a documentation address
# (RFC 5737) for a client on the internet.
ANOTHER_ENDPOINT = Origin(
    "another-endpoint", Endpoint("vpce-0another00000000", "vpc-0another000000000"), "10.99.0.10"
)
INTERNET = Origin("internet", None, "203.0.113.10")
# An address out of the ranges that GitHub publishes for its webhooks.
GITHUB = Origin("github", None, "140.82.115.10")


class Doors:
    """Doors to what is deployed in an account; more may be deployed while they are open."""

    def __init__(
        self,
        account: Account,
        stack_name: str,
        *,
        children: Children,
        python: Path,
        state: Path,
        backends: Mapping[str, App],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._account, self._stack_name, self._state = account, stack_name, state
        self._tasks = tasks
        self.pools: dict[str, Pool] = {}
        self._labels: dict[str, Pool] = {}
        self._networks: dict[str | None, Network] = {}
        self._serving: list[asyncio.Task[None]] = []
        self._background: list[asyncio.Task[None]] = []
        self._sources: set[tuple[str, str]] = set()
        self._backends = backends
        certificates = Certificates(state, account.region, backends)
        self._plain, self._tls = Servers(), Servers(certificates.server)
        self._workers: list[Servers] = []
        self._launcher = Launcher(
            account=account,
            children=children,
            python=python,
            logs=state / "logs",
            networks=self._networks,
            certificates=certificates.bundle,
        )
        self._identities = AccountIdentities(account.url)
        self._keys = AccountKeys(account)
        self._directory = Directory()
        self._door = Door(
            self._directory,
            self.pools,
            self._identities,
            account.region,
            keys=self._keys,
        )

    async def open(self) -> Running:
        """Open them; they answer when this returns, and functions are started."""
        endpoints = await asyncio.to_thread(endpoint_origins, self._account)
        origins = [*endpoints, ANOTHER_ENDPOINT, INTERNET, GITHUB]
        serve = self._door.serve
        ports = {one.name: self._plain.add(partial(serve, one)) for one in origins}
        tls_ports = {one.name: self._tls.add(partial(serve, one)) for one in origins}
        inside = [
            (re.compile(re.escape(name)), self._tls.add(app))
            for name, app in self._backends.items()
        ]
        self._names = partial(_names, endpoints, tls_ports, inside, self._account.region)
        self._control = self._plain.add(Control(self._door.decisions, self._labels))
        self._origins = [
            OpenOrigin(
                origin.name,
                ports[origin.name],
                endpoint_dns_name(self._account, origin.endpoint.endpoint_id)
                if origin in endpoints and origin.endpoint is not None
                else None,
            )
            for origin in origins
        ]
        self._serving = [self._tasks.create_task(one.run()) for one in (self._plain, self._tls)]
        for servers in (self._plain, self._tls):
            await servers.started()
        self._background = [
            self._tasks.create_task(one.keep_fresh()) for one in (self._identities, self._keys)
        ]
        return await self.look_again()

    async def look_again(self) -> Running:
        """Open what has been deployed since; returns where everything is."""
        stages, functions, sources, _ = await asyncio.gather(
            asyncio.to_thread(deployed_stages, self._account),
            asyncio.to_thread(
                deployed_functions, self._account, self._stack_name, self._state / "code"
            ),
            asyncio.to_thread(event_sources, self._account),
            asyncio.to_thread(self._identities.refresh),
        )
        new = [function for function in functions if function.arn not in self.pools]
        servers = Servers()
        for function in new:
            workers = [Worker(servers.add) for _ in range(WORKERS)]
            self.pools[function.arn] = Pool(function, workers, self._launcher.start)
        if new:
            self._workers.append(servers)
            self._serving.append(self._tasks.create_task(servers.run()))
            await servers.started()
        for vpc_id in {function.vpc_id for function in new} - self._networks.keys():
            self._networks[vpc_id] = Network(partial(_port_of_name, self._names(vpc_id)))
            await self._networks[vpc_id].start()
        self._labels.update((pool.function.label, pool) for pool in self.pools.values())
        self._directory.replace(stages)
        warming = self._warm([self.pools[function.arn] for function in new])
        self._background.append(self._tasks.create_task(warming))
        for source in sources:
            mapping = (source.stream_arn, source.function_arn)
            pool = self.pools.get(source.function_arn)
            if pool and not pool.function.why_not_run and mapping not in self._sources:
                self._sources.add(mapping)
                poller = StreamPoller(self._account, source, pool)
                self._background.append(self._tasks.create_task(poller.run()))
        return Running(
            account_url=self._account.url,
            region=self._account.region,
            control=self._control,
            origins=self._origins,
            apis=[
                OpenApi(
                    api.name,
                    api.api_id,
                    api.stage,
                    sorted({route.path for route in api.routes}),
                    private=api.private,
                    http=api.kind is Kind.HTTP,
                )
                for api in (stage.api for stage in stages)
            ],
            roles={name: pool.function.role_arn for name, pool in sorted(self._labels.items())},
        )

    def not_run(self) -> list[str]:
        """The functions that have no workers, each with why."""
        found = (pool.function.why_not_run for pool in self.pools.values())
        return [why for why in found if why is not None]

    async def _warm(self, pools: Sequence[Pool]) -> None:
        """Start a worker of each, one after the other: whoever calls now goes first."""
        for pool in pools:
            await pool.warm()
            await asyncio.sleep(_WARM_SECONDS)

    async def close(self) -> None:
        """Close them and end the workers."""
        for task in self._background:
            task.cancel()
        for pool in self.pools.values():
            pool.stop()
        for network in self._networks.values():
            network.stop()
        for servers in (self._plain, self._tls, *self._workers):
            servers.stop()
        await asyncio.gather(*self._serving, self._launcher.ended())


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

    The arguments are those of `open_doors`.
    """
    async with open_doors(
        account, stack_name, children=children, python=python, state=state, backends=backends
    ) as (_, running):
        yield running


@contextlib.asynccontextmanager
async def open_doors(
    account: Account,
    stack_name: str,
    *,
    children: Children,
    python: Path,
    state: Path,
    backends: Mapping[str, App] = MappingProxyType({}),
) -> AsyncIterator[tuple[Doors, Running]]:
    """Likewise, with the doors, which can look for more.

    `python` is the interpreter of the functions, `state` a folder for code, logs and certificates.
    `backends` are services of the networks, by their DNS names.
    """
    (state / "logs").mkdir(parents=True, exist_ok=True)
    async with asyncio.TaskGroup() as tasks:
        doors = Doors(
            account,
            stack_name,
            children=children,
            python=python,
            state=state,
            backends=backends,
            tasks=tasks,
        )
        try:
            yield doors, await doors.open()
        finally:
            await doors.close()


def _names(
    endpoints: Iterable[Origin],
    ports: Mapping[str, int],
    inside: list[tuple[re.Pattern[str], int]],
    region: str,
    vpc_id: str | None,
) -> list[tuple[re.Pattern[str], int]]:
    known = _known(vpc_id, endpoints, ports, region)
    return known + inside if vpc_id else known


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
