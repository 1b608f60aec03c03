"""What judging a set costs. It counts against the set's budget together with what writing its calls took.

When the budget is spent the judge is asked no more: calls without an answer keep their local grade, and it is said why.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from tip_assets.generation.spending import Expected, Spending, SpendingReport, Spent, SpentBefore
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judging import MOST_OUTPUT_TOKENS, NotForJudges
from tip_resources.domain.codec import from_builtins
from tip_resources.domain.dataset_spec import Budget
from tip_resources.llm.prices import PriceList
from tip_resources.llm.types import Endpoint, RequestDone

BUDGET_SPENT = "budget_spent"
# Rubric and a call of middling length, until the first answer has told; docs/grading.md has what questions take.
_EXPECTED_TOKENS_IN = 3_000


class JudgingBudget:
    """Lets a question be asked only while the set's budget has room for it, and counts what was asked.

    Minutes are not counted: that limit is on writing.

    Args:
        budget: Of the data set.
        prices: What tokens cost.
        endpoints: Those that judge.
        answers: Of earlier runs: what these took counts too, as far as an answer came of it.
        written: What was recorded when the calls were written: `Spent` of each endpoint, as plain values.

    Raises:
        BadInput: A limit on cost, and no price is known for the judge's model.
    """

    def __init__(
        self,
        budget: Budget,
        prices: PriceList,
        endpoints: Sequence[Endpoint],
        *,
        answers: JudgeAnswers,
        written: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._spending = Spending(
            msgspec.structs.replace(budget, max_minutes=None),
            prices,
            earlier=answers.usages(),
            before=_spent_on(written),
        )
        self._in_flight = 0
        costs = [prices.cost(one, _EXPECTED_TOKENS_IN, MOST_OUTPUT_TOKENS) or 0.0 for one in endpoints]
        expected = Expected(tokens=_EXPECTED_TOKENS_IN + MOST_OUTPUT_TOKENS, cost=max(costs))
        self._spending.begin(endpoints, in_flight=lambda: self._in_flight, expected=expected)

    @contextmanager
    def room(self) -> Iterator[Callable[[RequestDone], None]]:
        """For one question; gives what counts each request that it took.

        Raises:
            NotForJudges: The budget is spent; the message says by how much.
        """
        if reason := self._spending.stop_reason():
            raise NotForJudges(BUDGET_SPENT, reason)
        self._in_flight += 1
        try:
            yield self._spending.request_done
        finally:
            self._in_flight -= 1

    def stop_reason(self) -> str | None:
        """Why nothing more is asked; None while there is room."""
        return self._spending.stop_reason()

    def report(self) -> SpendingReport:
        """What judging alone took, earlier runs included."""
        return self._spending.report()


def _spent_on(written: Sequence[Mapping[str, Any]]) -> SpentBefore:
    parts = [from_builtins(one, Spent) for one in written]
    costs = [one.cost for one in parts]
    return SpentBefore(
        tokens=sum(one.tokens_in + one.tokens_out for one in parts),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
    )
