"""A running application: door, functions and network over one account."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from backstairs.access import Endpoint, Origin
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
from backstairs.network.names import Names
from backstairs.network.proxy import Certificates, Network
from backstairs.runtime.launcher import Launcher
from backstairs.runtime.pool import Pool, Worker
from backstairs.runtime.streams import StreamPoller

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Any

    from backstairs.account.client import Account
    from backstairs.gateway.stage import Stage
    from backstairs.http.asgi import App
    from backstairs.runtime.pool import Function
    from backstairs.runtime.process import Children
    from backstairs.runtime.streams import EventSource

WORKERS = 4
_WARM_SECONDS = 0.15

# Nobody's: an endpoint of a VPC that the application does not know, and a documentation address
# (RFC 5737) for a client on the internet.
ANOTHER_ENDPOINT = Origin(
    "another-endpoint", Endpoint("vpce-0another00000000", "vpc-0another000000000"), "10.99.0.10"
)
INTERNET = Origin("internet", None, "203.0.113.10")


class Doors:
    """Doors to what is deployed in an account; more may be deployed while they are open.

    They are open in `async with`, which starts the functions' workers and ends them; what it gives
    has `running`, where everything is.

    `python` is the interpreter of the functions, `state` a folder for code, logs and certificates.
    `backends` are services of the networks, by their DNS names; `origins` are ways in beside the
    account's endpoints, one endpoint that it does not know, and the internet.
    """

    running: Running

    def __init__(
        self,
        account: Account,
        stack_name: str,
        *,
        children: Children,
        python: Path,
        state: Path,
        backends: Mapping[str, App] = MappingProxyType({}),
        origins: Sequence[Origin] = (),
    ) -> None:
        (state / "logs").mkdir(parents=True, exist_ok=True)
        self._account, self._stack_name, self._state = account, stack_name, state
        self._backends, self._others = backends, origins
        self.pools: dict[str, Pool] = {}
        self._labels: dict[str, Pool] = {}
        self._networks: dict[str | None, Network] = {}
        self._serving: list[asyncio.Task[None]] = []
        self._background: list[asyncio.Task[None]] = []
        self._sources: set[tuple[str, str]] = set()
        certificates = Certificates(state, account.region, backends)
        self._plain, self._tls = Servers(), Servers(certificates.server)
        self._servers = [self._plain, self._tls]
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
            self._directory, self.pools, self._identities, account.region, keys=self._keys
        )
        self._control = self._plain.add(Control(self._door.decisions, self._labels))

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            self._tasks = await stack.enter_async_context(asyncio.TaskGroup())
            stack.push_async_callback(self._close)
            await self._open()
            self._end = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._end.__aexit__(kind, error, trace)

    async def _open(self) -> None:
        """Open them; they answer when this returns, and functions are started."""
        endpoints = await asyncio.to_thread(endpoint_origins, self._account)
        origins = [*endpoints, ANOTHER_ENDPOINT, INTERNET, *self._others]
        serve = self._door.serve
        tls_ports = {one.name: self._tls.add(partial(serve, one)) for one in origins}
        self._names = Names(
            self._account.region,
            [(one.endpoint, tls_ports[one.name]) for one in endpoints if one.endpoint],
            tls_ports[INTERNET.name],
            {name: self._tls.add(app) for name, app in self._backends.items()},
        )
        self._origins = [
            OpenOrigin(
                origin.name,
                self._plain.add(partial(serve, origin)),
                endpoint_dns_name(self._account, origin.endpoint.endpoint_id)
                if origin in endpoints and origin.endpoint is not None
                else None,
            )
            for origin in origins
        ]
        for servers in self._servers:
            await self._serve(servers)
        for one in (self._identities, self._keys):
            self._begin(one.keep_fresh())
        await self.look_again()

    async def look_again(self) -> None:
        """Open what has been deployed since."""
        stages, functions, sources, _ = await asyncio.gather(
            asyncio.to_thread(deployed_stages, self._account),
            asyncio.to_thread(
                deployed_functions, self._account, self._stack_name, self._state / "code"
            ),
            asyncio.to_thread(event_sources, self._account),
            asyncio.to_thread(self._identities.refresh),
        )
        await self._take([function for function in functions if function.arn not in self.pools])
        self._directory.replace(stages)
        self._follow(sources)
        self.running = self._described(stages)

    async def _take(self, new: Sequence[Function]) -> None:
        """Make pools of workers for functions, and the networks that they are in."""
        servers = Servers()
        for function in new:
            workers = [Worker(servers.add) for _ in range(WORKERS)]
            self.pools[function.arn] = Pool(function, workers, self._launcher.start)
        if new:
            self._servers.append(servers)
            await self._serve(servers)
        for vpc_id in {function.vpc_id for function in new} - self._networks.keys():
            self._networks[vpc_id] = Network(partial(self._names.port_of, vpc_id))
            await self._networks[vpc_id].start()
        self._labels.update((pool.function.label, pool) for pool in self.pools.values())
        self._begin(self._warm([self.pools[function.arn] for function in new]))

    def _follow(self, sources: Iterable[EventSource]) -> None:
        """Poll the streams of functions that are run here, each mapping once."""
        for source in sources:
            mapping = (source.stream_arn, source.function_arn)
            pool = self.pools.get(source.function_arn)
            if pool and not pool.function.why_not_run and mapping not in self._sources:
                self._sources.add(mapping)
                self._begin(StreamPoller(self._account, source, pool).run())

    def _described(self, stages: Iterable[Stage]) -> Running:
        return Running(
            account_url=self._account.url,
            region=self._account.region,
            control=self._control,
            origins=self._origins,
            apis=[OpenApi.of(stage.api) for stage in stages],
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

    async def _serve(self, servers: Servers) -> None:
        self._serving.append(self._tasks.create_task(servers.run()))
        await servers.started()

    def _begin(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something until the doors are closed."""
        self._background.append(self._tasks.create_task(doing))

    async def _close(self) -> None:
        """Close them and end the workers."""
        for task in self._background:
            task.cancel()
        for pool in self.pools.values():
            pool.stop()
        for network in self._networks.values():
            network.stop()
        for servers in self._servers:
            servers.stop()
        await asyncio.gather(*self._serving, self._launcher.ended())
