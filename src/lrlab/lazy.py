"""Packages whose names and modules are imported on first use, so that importing them is fast."""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def enable_lazy_imports(
    package: str,
    exports: Mapping[str, Iterable[str]],
    modules: Iterable[str] = (),
    catalog: str | None = None,
) -> None:
    """Import the public names of a package on first use.

    Args:
        package: its ``__name__``; called while it is being imported.
        exports: its modules, each with its public names; if two modules have the same name, the
            last one counts.
        modules: the modules that are public themselves.
        catalog: a module whose public names all are the package's too; it is imported as soon as
            a name is looked up that is in none of the others.
    """
    module = sys.modules[package]
    source_modules = {name: source for source, names in exports.items() for name in names}
    vars(module).update(
        _source_modules=source_modules, _modules=tuple(modules), _catalog_name=catalog
    )
    module.__class__ = _LazyModule


def list_modules(path: Iterable[str], excluded: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of a package's public modules in alphabetical order, importing none.

    Args:
        path: the package's ``__path__``.
        excluded: further names that are not public; those with an underscore never are.

    >>> import lrlab
    >>> "lab" in list_modules(lrlab.__path__), "lab" in list_modules(lrlab.__path__, ["lab"])
    (True, False)
    """
    names = {module.name for module in iter_modules(path)} - set(excluded)
    return tuple(sorted(name for name in names if not name.startswith("_")))


class _LazyModule(ModuleType):
    _source_modules: dict[str, str]
    _modules: tuple[str, ...]
    _catalog_name: str | None

    def __getattr__(self, name: str) -> object:
        if name == "__all__":
            return self.__dir__()
        if name in self._modules:
            return import_module(f"{self.__name__}.{name}")
        value: object
        if name in self._source_modules:
            source = import_module(f"{self.__name__}.{self._source_modules[name]}")
            value = getattr(source, name)
        elif not name.startswith("_") and name in self._load_catalog():
            value = self._load_catalog()[name]
        else:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self
            )
        vars(self)[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # Python binds each imported module on its package. A public name wins over a module of
        # that name: ``lint`` is the function in ``schedules.lint``.
        if not (name in self._source_modules and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*self._source_modules, *self._modules, *self._load_catalog()})

    def _load_catalog(self) -> dict[str, object]:
        """Return the public names of the catalog."""
        if self._catalog_name is None:
            return {}
        names = vars(import_module(f"{self.__name__}.{self._catalog_name}"))
        return {name: value for name, value in names.items() if not name.startswith("_")}
