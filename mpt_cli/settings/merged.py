"""Settings: the values of flags, jobs, ``MPT_*`` variables and TOML files, merged key by key.

Two libraries of the agreed stack do a part of their work here or elsewhere, and must not do the rest.

pydantic-settings merges: each layer is one of its sources, highest first, and it joins the sources and builds the
frozen, validated object. It must not read the layers. Its environment source ignores unknown ``MPT_*`` variables and
reads a size such as 1080x1920 as JSON; its TOML source has no limit for the size of a file, waits for a pipe, and its
errors name no file. Its errors after the merge name neither the layer of a value nor a fault that a higher layer
hides, and it does not know presets or the source of a value. So :mod:`mpt_cli.settings.layers` reads and checks each
layer alone. Only this module imports it, because loading it is slow.

ffmpeg-python compiles filter graphs and argument lists (:mod:`mpt_cli.media.ffmpeg`). It must not start a process:
its ``run`` and ``probe`` have no time limit, memory limit or cancellation, which :mod:`mpt_cli.media.process` has.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, PrivateAttr
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from mpt_cli.config.sections import Config
from mpt_cli.model.choices import OnError
from mpt_cli.model.errors import ConfigError, UsageError
from mpt_cli.model.formatting import path_text
from mpt_cli.settings.layers import (
    ENV_PREFIX,
    FIELDS,
    PRESET,
    Layer,
    LayerKind,
    Origin,
    dotted,
    one_line,
    read_toml,
    shown,
    user_config_file,
    variable_of,
)
from mpt_cli.settings.suggestions import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mpt_cli.settings.layers import Key

    StrPath = str | os.PathLike[str]

logger = logging.getLogger(__name__)

_ON_ERROR, _RATE = ("processing", "on_error"), ("processing", "min_success_rate")


class Settings(Config, BaseSettings):
    """The effective configuration: a frozen :class:`Config` that knows the source of each value.

    ``Settings()`` holds the defaults, changed by its keyword arguments; each is a section, or a table with its TOML
    keys. A library must not take settings from the folder or the environment that its host program happens to run
    in: :meth:`load` reads these, as the command line does.

    Raises:
        ConfigError: A layer cannot be read, or holds an unknown key or a wrong value. Carries all faults.
        UsageError: A success rate below 1 is set although a failed clip prevents the reel.
    """

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True
    )
    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    def __init__(self, **values: Any) -> None:
        """Check the layers, each alone, and merge them; reads nothing."""
        layers = values.pop("_layers", None)
        if layers is None:
            layers = (argument_layer(values),)
        _refuse_faults(layers)
        super().__init__(_layers=layers)  # type: ignore[call-arg]
        self._origins.update(_origins_of(layers))
        self._log()
        _refuse_pointless_rate(self, layers)

    def _log(self) -> None:
        """Log each value that is not a default, and its source."""
        if not logger.isEnabledFor(logging.DEBUG):
            return
        values = self.model_dump(mode="json", by_alias=True)
        for key, origin in self._origins.items():
            if origin.kind is not None:
                section, _, name = key.partition(".")
                logger.debug("Setting %s = %s from %s", key, values[section][name], origin)

    @classmethod
    def load(
        cls,
        *,
        flags: Mapping[str, Any] | None = None,
        arguments: Mapping[str, Any] | None = None,
        job: Layer | None = None,
        job_defaults: Layer | None = None,
        config_file: StrPath | None = None,
        environ: Mapping[str, str] | None = None,
        cwd: StrPath | None = None,
        user_file: StrPath | None = None,
    ) -> Self:
        """Return the settings of a command: flags, job, defaults of the job file, :func:`standing_layers`.

        Args:
            flags: Values of the options that were given, nested by TOML key, with an optional ``preset``.
            arguments: Values that a program gives, as the keyword arguments of :class:`Settings`.
            job: Layer of the job.
            job_defaults: Layer of the ``[defaults]`` of the job file.
            config_file: File in place of ``mpt.toml`` and ``pyproject.toml``.
            environ: Variables in place of ``os.environ``.
            cwd: Folder in place of the current one.
            user_file: File in place of the user's own.

        Raises:
            ConfigError: As for :class:`Settings`; also if ``config_file`` does not exist.
            UsageError: As for :class:`Settings`.
        """
        standing = standing_layers(config_file=config_file, environ=environ, cwd=cwd, user_file=user_file)
        given = Layer(LayerKind.FLAG, flags or {}), argument_layer(arguments or {})
        return cls.of((*given, job, job_defaults, *standing))

    @classmethod
    def of(cls, layers: Sequence[Layer | None]) -> Self:
        """Return the settings of these layers alone, so that a batch reads the standing layers once.

        Args:
            layers: Layers, highest first; None is skipped.

        Raises:
            ConfigError: As for :class:`Settings`.
            UsageError: As for :class:`Settings`.
        """
        return cls(_layers=tuple(layer for layer in layers if layer is not None))

    @property
    def origins(self) -> dict[str, Origin]:
        """Return the source of each value by its dotted key, such as ``encode.crf``."""
        return dict(self._origins)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return one source per layer, highest first, in place of the usual sources."""
        layers: Sequence[Layer] = init_settings()["_layers"]
        return tuple(InitSettingsSource(settings_cls, layer.expanded()) for layer in layers)


def _refuse_faults(layers: Sequence[Layer]) -> None:
    faults = [ConfigError(fault, path=layer.path) for layer in layers for fault in layer.check()]
    if faults:
        raise faults[0].beside(faults[1:])


def _refuse_pointless_rate(config: Config, layers: Sequence[Layer]) -> None:
    """Refuse a success rate below 1 where one failed clip prevents the reel."""
    rate = config.processing.min_success_rate
    if rate is None or rate >= 1 or config.processing.on_error is not OnError.FAIL:
        return
    giver = next(layer for layer in layers if _RATE[1] in layer.expanded().get(_RATE[0], {}))
    raise UsageError(
        giver.fault(_RATE, rate, f"below 1 needs {dotted(_ON_ERROR)} = skip, but that is fail"),
        path=giver.path,
        hint="give --on-error skip, or leave the rate out",
    )


def _origins_of(layers: Sequence[Layer]) -> dict[str, Origin]:
    origins = {dotted(key): Origin() for key in FIELDS}
    for layer in reversed(layers):
        keys: list[Key] = [(section, name) for section, table in layer.expanded().items() for name in table]
        origins |= {dotted(key): layer.origin_of(key) for key in keys}
    return origins


def argument_layer(values: Mapping[str, Any]) -> Layer:
    """Return the layer of keyword arguments; a section given as an object counts with the fields that were set."""
    tables = {
        name: {
            field.alias or key: getattr(value, key)
            for key, field in type(value).model_fields.items()
            if key in value.model_fields_set
        }
        if isinstance(value, BaseModel)
        else value
        for name, value in values.items()
    }
    return Layer(LayerKind.ARGUMENT, tables)


def environment_layer(environ: Mapping[str, str], base: Path) -> Layer:
    """Return the layer of the ``MPT_*`` variables; a variable that is no setting is a fault."""
    known = {variable_of(key): key for key in (PRESET, *FIELDS)}
    by_text = {dotted(key): variable for variable, key in known.items()}
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name in sorted(name for name in environ if name.startswith(ENV_PREFIX)):
        if key := known.get(name):
            table = values if key == PRESET else values.setdefault(key[0], {})
            table[key[-1]] = environ[name]
        else:
            near = nearest(name.removeprefix(ENV_PREFIX).lower().replace("__", "."), list(by_text))
            fault = f"unknown variable{f'; nearest known variable: {by_text[near]}' if near else ''}"
            faults.append(one_line(f"{name} = {shown(environ[name])}: {fault}"))
    return Layer(LayerKind.ENVIRONMENT, values, base=base, faults=tuple(faults))


def file_layer(path: Path, *, trusted: bool = False) -> Layer | None:
    """Return the layer of a TOML file, or None if there is none.

    Args:
        path: The file; of a ``pyproject.toml`` only ``[tool.mpt]`` counts.
        trusted: Whether the file is the user's own, which may set the program to run.

    Raises:
        ConfigError: The file cannot be read, or holds jobs.
    """
    try:
        values = read_toml(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if path.name != "pyproject.toml" or trusted:
        if isinstance(values.get("job"), list):
            hint = f"run it: mpt process --job {path_text(path)}, or mpt batch {path_text(path)}"
            raise ConfigError("is a file of jobs, not of settings", path=path, hint=hint)
        kind = LayerKind.USER_FILE if trusted else LayerKind.FILE
        return Layer(kind, values, path=path, base=path.parent, trusted=trusted)
    tool = values.get("tool")
    if not isinstance(tool, dict) or "mpt" not in tool:
        return None
    if not isinstance(tool["mpt"], dict):
        raise ConfigError(f"tool.mpt = {shown(tool['mpt'])}: must be a table", path=path)
    return Layer(LayerKind.FILE, tool["mpt"], path=path, part="[tool.mpt]", base=path.parent, trusted=False)


def standing_layers(
    *,
    config_file: StrPath | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: StrPath | None = None,
    user_file: StrPath | None = None,
) -> tuple[Layer, ...]:
    """Return the layers below flags and jobs, highest first: environment, project file, user file.

    Args:
        config_file: File in place of ``mpt.toml`` and ``pyproject.toml`` in ``cwd``.
        environ: Variables in place of ``os.environ``.
        cwd: Folder in place of the current one.
        user_file: File in place of the user's own.

    Raises:
        ConfigError: ``config_file`` does not exist, or a file cannot be read.
    """
    here = Path.cwd() if cwd is None else Path(cwd)
    if config_file is None:
        project = file_layer(here / "mpt.toml") or file_layer(here / "pyproject.toml")
    else:
        project = file_layer(here / config_file)
        if project is None:
            why = "has no table [tool.mpt]" if (here / config_file).exists() else "does not exist"
            raise ConfigError(why, path=here / config_file, hint="name a file of settings with --config")
    environment = environment_layer(os.environ if environ is None else environ, here)
    own = user_config_file() if user_file is None else Path(user_file)
    user = None if own is None else file_layer(own, trusted=True)
    return tuple(layer for layer in (environment, project, user) if layer is not None)
