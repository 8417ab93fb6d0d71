"""The state of the account in one file, for the next account to begin with.

MiniStack keeps what it knows in the variables of its modules, and so do the adapters. Those that
have changed since they were imported are pickled, and put back into the same objects. Whatever
cannot be put away is an error, for half an account would be worse than none. MiniStack's own
persistence is no help: it writes as it ends, leaves out what JSON cannot say, and keeps not all.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import sys
import types
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict

# Services that MiniStack loads as it starts, or when they are first used.
from ministack.services import lambda_durable, scheduler  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Name = tuple[str, str]

_PACKAGES = ("ministack.", "backstairs.emulator.adapters.", "backstairs.emulator.notices")
_CODE = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
_SCOPED = (AccountScopedDict, AccountRegionScopedDict)
_CONTAINERS = (dict, list, set, deque, *_SCOPED)
# The threads that a process has started, its workers, its caches: the next one makes its own.
_OF_THE_PROCESS = {
    ("ministack.app", "_MAIN_LOOP"),
    ("ministack.app", "_loaded_modules"),
    ("ministack.app", "_ready_scripts_state"),
    ("ministack.app", "_reset_lock"),
    ("ministack.core.container_reaper", "_started"),
    ("ministack.core.iam_evaluator", "_FNMATCH_CACHE"),
    ("ministack.core.lambda_runtime", "_workers"),
    ("ministack.services.eventbridge", "_scheduler_thread"),
    ("ministack.services.lambda_svc", "_reaper_started"),
    ("ministack.services.s3", "_event_sequence"),
    ("ministack.services.scheduler", "_ticker_thread"),
}
# What may be made when a snapshot is read: data, nothing that does anything.
_DATA = {
    ("_codecs", "encode"),
    ("builtins", "bytearray"),
    ("builtins", "frozenset"),
    ("builtins", "set"),
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("collections", "deque"),
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("decimal", "Decimal"),
    *((one.__module__, one.__name__) for one in _SCOPED),
    *(("builtins", one.__name__) for one in (dict, list, int, str)),
}


class SnapshotError(Exception):
    """The state cannot be put away, or not be taken up; the message says why."""


class Snapshots:
    """Made after the imports and before the first request: what differs later is state."""

    def __init__(self) -> None:
        self._first: dict[Name, bytes | None] = {}
        self._stores: dict[Name, Any] = {}
        for name, value in _variables():
            if isinstance(value, _CONTAINERS):
                self._stores[name] = value
        self._names = {id(value): name for name, value in self._stores.items()}
        for name, value in _variables():
            self._first[name] = None
            with contextlib.suppress(Exception):  # what cannot be pickled now is code
                self._first[name] = self._digest(value)

    def write(self, path: Path) -> None:
        """Write the state, all of it or nothing. Raises SnapshotError, OSError."""
        new = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            new.touch(mode=0o600)
            with new.open("wb") as file:
                self._pickler(file).dump(self._changed())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    def read(self, path: Path) -> None:
        """Take up what `write` wrote. Raises SnapshotError; the account is of no use then."""
        try:
            with path.open("rb") as file:
                kept: dict[Name, Any] = _Unpickler(file, self._stores).load()
            for name, content in kept.items():
                if name in self._stores:
                    _fill(self._stores[name], content)
                else:
                    setattr(sys.modules[name[0]], name[1], content)
        except Exception as error:  # pickle raises anything
            raise SnapshotError(f"{path.name}: {type(error).__name__}: {error}") from error

    def _changed(self) -> dict[Name, Any]:
        changed = {}
        for name, value in _variables():
            first = self._first.get(name)
            if name in _OF_THE_PROCESS or (first is None and name in self._first):
                continue
            if name not in self._first:
                raise SnapshotError(f"{'.'.join(name)} came after the account had started")
            try:
                same = self._digest(value) == first
            except Exception as error:  # pickle raises anything
                raise SnapshotError(f"{'.'.join(name)}: {error}") from error
            if same:
                continue
            if self._stores.get(name) is value:
                changed[name] = _content(value)
            elif type(value) in (int, float, str, bytes):
                changed[name] = value
            else:
                raise SnapshotError(f"{'.'.join(name)} is now a {type(value).__name__}")
        return changed

    def _digest(self, value: object) -> bytes:
        written = io.BytesIO()
        self._pickler(written).dump(
            _content(value) if isinstance(value, _CONTAINERS) else value,
        )
        return hashlib.sha256(written.getbuffer()).digest()

    def _pickler(self, file: IO[bytes]) -> pickle.Pickler:
        return _Pickler(file, self._names)


class _Pickler(pickle.Pickler):
    """One that writes a module's own store, met inside another, as its name."""

    def __init__(self, file: IO[bytes], names: dict[int, Name]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._names = names

    def persistent_id(self, value: object) -> Name | None:
        return self._names.get(id(value))


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes], stores: dict[Name, Any]) -> None:
        super().__init__(file)
        self._stores = stores

    def persistent_load(self, name: Name) -> Any:
        return self._stores[name]

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _DATA:
            raise pickle.UnpicklingError(f"{module}.{name} is no data")
        return super().find_class(module, name)


def _variables() -> Iterator[tuple[Name, Any]]:
    for module in sorted(name for name in sys.modules if name.startswith(_PACKAGES)):
        for name, value in list(vars(sys.modules[module]).items()):
            if not name.startswith("__") and not isinstance(value, _CODE):
                yield (module, name), value


def _content(store: Any) -> Any:
    """What is in a store, in a container that is not the store."""
    if isinstance(store, _SCOPED):
        return dict(store._data)
    return dict(store) if isinstance(store, dict) else list(store)


def _fill(store: Any, content: Any) -> None:
    target = store._data if isinstance(store, _SCOPED) else store
    target.clear()
    if isinstance(target, list | deque):
        target.extend(content)
    else:
        target.update(content)
