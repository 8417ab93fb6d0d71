"""Small immutable values, without the import cost of `dataclasses` (5 ms at cold start)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class Frozen:
    """A value made of its `__slots__`: compared and hashed by them, never changed after init."""

    __slots__: tuple[str, ...] = ()

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __copy__(self) -> "Self":
        return self

    def __deepcopy__(self, _memo: object) -> "Self":
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _made, (type(self), dict(zip(self.__slots__, self._values(), strict=True)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({shown})"


def _made(kind: type[Frozen], values: dict[str, object]) -> Frozen:
    return kind(**values)
