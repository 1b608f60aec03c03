"""What tokens of a paid model cost: config/prices.yaml, with the user's own config/prices.local.yaml on top.

Machines of one's own cost nothing here. A model that nobody gave a price for has none: its cost is unknown (None),
never 0.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from tip_resources.domain.failures import BadInput
from tip_resources.llm.addresses import is_near
from tip_resources.llm.types import Endpoint

PRICES_FILE = "config/prices.yaml"
OWN_PRICES_FILE = "config/prices.local.yaml"

_MILLION = 1_000_000
# What a provider appends to the name of one and the same model: a date, or that it is the newest.
_VERSION = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{4}|latest)")

NotNegative = Annotated[float, msgspec.Meta(ge=0)]


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens; `cached_input` None where the provider has no such price."""

    input: NotNegative
    output: NotNegative
    cached_input: NotNegative | None = None


class _PriceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    models: dict[str, Price] = {}
    checked: Any = None
    batch_factor: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


FREE = Price(input=0.0, cached_input=0.0, output=0.0)


class PriceList(msgspec.Struct, frozen=True, kw_only=True):
    """Prices by model name. `checked` is the day the file was compared with the provider's list."""

    models: Mapping[str, Price] = {}
    batch_factor: float = 1.0
    checked: str = ""

    def of_model(self, model: str) -> Price | None:
        """The price of a model: of its own name, of the name without a version, else of the longest `name*`."""
        if price := self.models.get(model):
            return price
        best, longest = None, -1
        for name, price in self.models.items():
            is_version = model.startswith(name) and _VERSION.fullmatch(model, len(name))
            is_pattern = name.endswith("*") and model.startswith(name[:-1])
            if (is_version or is_pattern) and len(name) > longest:
                best, longest = price, len(name)
        return best

    def of(self, endpoint: Endpoint) -> Price | None:
        """The price of an endpoint's tokens: free on machines of one's own, None when nobody knows.

        An address on the internet is taken as paid whatever its tier says, because a hosted model must not count
        as free by mistake; a price of 0 in the user's file says otherwise.
        """
        is_paid = endpoint.tier == "openai" or not is_near(endpoint.url)
        return self.of_model(endpoint.model) if is_paid and not endpoint.scripted else FREE

    def cost(self, endpoint: Endpoint, tokens_in: int, tokens_out: int, *, batch_api: bool = False) -> float | None:
        """US dollars, None when unknown. Input counts as not cached, so the bill may be smaller, never larger."""
        price = self.of(endpoint)
        if price is None:
            return None
        factor = self.batch_factor if batch_api else 1.0
        return factor * (tokens_in * price.input + tokens_out * price.output) / _MILLION


def load_prices(home: Path) -> PriceList:
    """The prices of the project folder `home`; a missing file has none.

    Raises:
        BadInput: A file is not YAML or not of that form; the message names file, line where known, and field.
    """
    shipped, own = _read(home, PRICES_FILE), _read(home, OWN_PRICES_FILE)
    factor = shipped.batch_factor if own.batch_factor is None else own.batch_factor
    return PriceList(
        models={**shipped.models, **own.models},
        batch_factor=1.0 if factor is None else factor,
        checked=str(own.checked or shipped.checked or ""),
    )


def check_prices_known(endpoints: Sequence[Endpoint], prices: PriceList, option: str = "--max-cost") -> None:
    """Refuses a limit on cost where a cost cannot be known.

    Raises:
        BadInput: No price is known for a model that may be asked; says which line to add to which file.
    """
    unknown = sorted({endpoint.model for endpoint in endpoints if prices.of(endpoint) is None})
    if unknown:
        lines = "; ".join(f'"{model}": {{input: 0.00, output: 0.00}}' for model in unknown)
        raise BadInput(
            f"{option} cannot be kept: no price is known for {', '.join(unknown)}.",
            where=OWN_PRICES_FILE,
            mend=f"Add under `models:`, with its US dollars per million tokens: {lines}",
        )


def _read(home: Path, name: str) -> _PriceFile:
    file = home / name
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return _PriceFile()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name} line {mark.line + 1}" if mark else name
        raise BadInput("not valid YAML.", where=where, mend="Check the indentation and colons.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the file: {error}", where=name) from error
    try:
        return msgspec.convert(tree or {}, type=_PriceFile)
    except msgspec.ValidationError as error:
        mend = 'A model looks like: "gpt-4.1": {input: 2.00, cached_input: 0.50, output: 8.00}'
        raise BadInput(f"{error}.", where=name, mend=mend) from error
