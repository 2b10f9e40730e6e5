"""Rules about `airflow.configuration`, option by option: names and values that Airflow reads.

Airflow ignores an unknown option without a word, and components end at a value that they cannot
read.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping

from ..settings.problems import Fault
from ..settings.schema import OptionValue, SecretKey, Settings
from .option_values import alternatives, wrong_value
from .options import Option, Options, options, variable
from .providers import missing, of_section
from .releases import RELEASES

OPEN_SECTIONS = {
    "celery_broker_transport_options",
    "celery_result_backend_transport_options",
    "sentry",
}
"""Sections that Airflow hands on as a whole (`conf.getsection`): Celery's broker, Celery's result
backend and Sentry know more options than Airflow describes."""

CFG = "images/airflow/airflow.cfg"
OWN = f"Sections of your own code go into {CFG}"


def problems(settings: Settings, reserved: Collection[str]) -> Iterator[Fault]:
    """What Airflow would ignore or could not read. `reserved` are variables of this program."""
    known = options(settings.airflow.version)
    for section, given in settings.airflow.configuration.items():
        path = ("airflow", "configuration", section)
        if not given:
            continue
        if _unheard_of(known, section, given, reserved):
            yield path, _unknown_section(settings, known, section)
            continue
        for option, value in given.items():
            message = _problem(known, section, option, value, reserved)
            if message is not None:
                yield (*path, option), message


def _problem(
    known: Options, section: str, option: str, value: OptionValue, reserved: Collection[str]
) -> str | None:
    if variable(section, option) in reserved:
        return "set by this program from other settings; remove it"
    described = known.get(section, option)
    if described is not None:
        if isinstance(value, SecretKey):
            return _no_secret(described)
        return wrong_value(section, option, described, str(value))
    for suffix in ("_cmd", "_secret"):
        if option.endswith(suffix):
            plain = option.removesuffix(suffix)
            described = known.get(section, plain)
            if described is not None:
                return _indirect(section, plain, described, reserved)
            if (history := _history(known, section, plain, reserved)) is not None:
                return history
    if section in OPEN_SECTIONS and re.fullmatch(r"[a-z][a-z0-9_-]*", option):
        near = difflib.get_close_matches(option, known.sections[section], n=1, cutoff=0.85)
        return f"unknown option; did you mean {near[0]}?" if near else None
    return _unknown(known, section, option, reserved)


def _no_secret(described: Option) -> str | None:
    """Why the value may not be in a Secret, which nobody checks before Airflow reads it."""
    if described.type in ("string", "json"):
        return None
    return "a Secret can hold texts and JSON alone here; write the value"


def _indirect(
    section: str, option: str, described: Option, reserved: Collection[str]
) -> str | None:
    """Why `<option>_cmd` or `<option>_secret` has no effect."""
    if variable(section, option) in reserved:
        return f"no effect: this program sets {option} itself; remove it"
    if not described.sensitive:
        return f"no effect: {option} is not a sensitive option; set {option} itself"
    return None


def _unheard_of(
    known: Options, section: str, given: Mapping[str, OptionValue], reserved: Collection[str]
) -> bool:
    """Whether there is nothing to say of a section's options one by one."""
    return section not in known.sections and not any(
        variable(section, option) in reserved or _history(known, section, option, reserved)
        for option in given
    )


def _unknown_section(settings: Settings, known: Options, section: str) -> str:
    package = of_section(section)
    if package is not None:
        return f"a section of {missing(settings, package)}"
    near = _near(section, known.sections)
    hint = f"Did you mean {near}? " if near else ""
    return f"Airflow {known.version} has no such section. {hint}{OWN}"


def _unknown(known: Options, section: str, option: str, reserved: Collection[str]) -> str:
    """What is meant by an unknown option, as far as its name says."""
    history = _history(known, section, option, reserved)
    if history is not None:
        return history
    places = [name for name, items in known.sections.items() if option in items]
    if places:
        return f"unknown option; {option} is in {alternatives(f'[{name}]' for name in places)}"
    near = _near(option, known.sections.get(section, {}))
    if near is not None and variable(section, near) in reserved:
        return f"unknown option; {near} is set by this program from other settings"
    if near is not None:
        return f"unknown option; did you mean {near}?"
    anywhere = {name: place for place, items in known.sections.items() for name in items}
    near = _near(option, anywhere)
    if near is not None:
        return f"unknown option; did you mean {_place(anywhere[near], near)}?"
    return "unknown option; remove it"


def _history(known: Options, section: str, option: str, reserved: Collection[str]) -> str | None:
    """What came of an option of another release; None if no release has or had it."""
    name = f"{section}.{option}"
    place = known.moved.get(name)
    others = [options(version) for version in RELEASES if version != known.version]
    of_another = next((other for other in others if other.get(section, option)), None)
    if place is None and of_another is not None:
        olds = (old for old, new in of_another.moved.items() if new == name)
        place = next((old for old in olds if known.get(*_key(old))), "")
    if place is None:
        return None
    whose = f"Airflow {of_another.version}" if of_another else "an earlier Airflow"
    message = f"an option of {whose}, not of {known.version}"
    if not place:
        return f"{message}, which has nothing in its place; remove it"
    new = _key(place)
    if known.get(*new) is None:  # a sentence
        return f"{message}; remove it. {place}"
    if variable(*new) in reserved:
        return f"{message}; this program sets {_place(*new)}, which replaces it; remove it"
    return f"{message}; write {_place(*new)}"


def _key(name: str) -> tuple[str, str]:
    """Section and option of `section.option`; a section may have a dot itself."""
    section, _, option = name.rpartition(".")
    return section, option


def _place(section: str, option: str) -> str:
    return f"{option} in [{section}]"


def _near(name: str, names: Collection[str]) -> str | None:
    """The nearest name, whatever the case; Airflow's own are lower case."""
    return next(iter(difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.7)), None)
