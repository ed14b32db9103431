"""Packages that import their public names when they are first used, so that they cost nothing."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType


def lazily(package: str, rooms: Mapping[str, Iterable[str]], modules: Iterable[str] = ()) -> None:
    """Has the names of a package imported when they are first used.

    Args:
        package: its ``__name__``; it is being imported.
        rooms: its modules, each with the public names that live there; of a name in several
            the last.
        modules: those that are public themselves.
    """
    module = sys.modules[package]
    homes = {name: room for room, names in rooms.items() for name in names}
    public = sorted({*homes, *modules})
    vars(module).update(_homes=homes, _modules=tuple(modules), __all__=public)
    module.__class__ = _Lazy


class _Lazy(ModuleType):
    _homes: dict[str, str]
    _modules: tuple[str, ...]

    def __getattr__(self, name: str) -> object:
        if name in self._modules:
            return import_module(f"{self.__name__}.{name}")
        if name not in self._homes:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self
            )
        value: object = getattr(import_module(f"{self.__name__}.{self._homes[name]}"), name)
        vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # Python binds a module on its package once it is imported. Where a public name is called
        # the same (``plan`` lives in ``plan``), that is what the package has.
        if not (name in self._homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self._homes, *self._modules})
