"""The curve over rounds: a table, a picture, and what it shows and does not show. Pure."""

import math
from collections.abc import Sequence

import msgspec

from tip_assets.line_charts import BETWEEN, BOTTOM, PANEL, TOP, cell, colour, image, panel, picture, x_of, y_of
from tip_assets.quality.realism.effects import Interval
from tip_assets.quality.realism.rounds import Point, RoundOutcome, TriedChange

_Z_95 = 1.96


class CurvePoint(msgspec.Struct, frozen=True, kw_only=True):
    """The recipe after a round (0: as it was before the first), on scenarios it was not chosen by."""

    round: int
    calls: int
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None
    auc: float | None
    style_distance: float | None
    style_distance_error: float | None
    grade: float | None
    kept: int
    rejected: int
    changes_kept: tuple[str, ...] = ()
    changes_dropped: tuple[str, ...] = ()
    reference: str = ""
    scripted: bool = False
    note: str = ""


def curve_points(outcomes: Sequence[RoundOutcome]) -> list[CurvePoint]:
    """One point before the first round, then one after each."""
    if not outcomes:
        return []
    return [_point(0, outcomes[0].before, outcomes[0]), *(_point(one.number, one.after, one) for one in outcomes)]


def conclusion(points: Sequence[CurvePoint]) -> str:
    """What the curve shows between its first and its last point, and no more."""
    if len(points) < 2:
        return "No round has been made."
    first, last = points[0], points[-1]
    if first.accuracy is None or last.accuracy is None:
        return "Nothing is shown: at one end of the curve there were too few calls to tell apart."
    said = [_accuracy_said(first, last), _distance_said(first, last)]
    if not any(point.changes_kept for point in points):
        said.append("No change was kept, so the recipe changes nothing.")
    if last.scripted:
        said.append("The calls are scripted: this proves the plumbing, and says nothing of any model.")
    return " ".join(said)


def curve_markdown(outcomes: Sequence[RoundOutcome]) -> str:
    """Picture, conclusion, the points and every change that was tried."""
    points = curve_points(outcomes)
    if not points:
        return conclusion(points)
    lines = [
        _picture(points),
        "",
        f"{conclusion(points)} Held against {outcomes[-1].reference}.",
        "",
        "| round | accuracy (95 %) | AUC | style distance | grade | kept | rejected |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(point) for point in points),
        "",
        "| round | change | meant to mend | over all features | outcome |",
        "|---:|---|---:|---:|---|",
    ]
    for outcome in outcomes:
        lines += [f"| {outcome.number} | (none) | | | {cell(outcome.note)} |"] if outcome.note else []
        lines += [_change_row(outcome.number, tried) for tried in outcome.tried]
    return "\n".join(lines)


def _point(number: int, point: Point, outcome: RoundOutcome) -> CurvePoint:
    verdict = point.verdict
    tried = outcome.tried if number else ()
    return CurvePoint(
        round=number,
        calls=verdict.calls,
        accuracy=verdict.accuracy,
        accuracy_low=verdict.low,
        accuracy_high=verdict.high,
        auc=verdict.auc,
        style_distance=verdict.style_distance,
        style_distance_error=verdict.style_distance_error,
        grade=point.grade,
        kept=point.kept,
        rejected=point.rejected,
        changes_kept=tuple(change.name for change in tried if change.is_kept),
        changes_dropped=tuple(change.name for change in tried if not change.is_kept),
        reference=outcome.reference,
        scripted=outcome.is_scripted,
        note=verdict.reason or (outcome.note if number else ""),
    )


def _accuracy_said(first: CurvePoint, last: CurvePoint) -> str:
    figures = f"accuracy {accuracy_said(first)} at first, {accuracy_said(last)} at last"
    if last.accuracy_high is not None and first.accuracy_low is not None and last.accuracy_high < first.accuracy_low:
        return f"Ours are harder to tell apart: {figures}."
    if last.accuracy_low is not None and first.accuracy_high is not None and last.accuracy_low > first.accuracy_high:
        return f"Ours are easier to tell apart than before: {figures}."
    return f"No improvement is shown in how well ours are told apart: {figures}."


def _distance_said(first: CurvePoint, last: CurvePoint) -> str:
    values = (first.style_distance, last.style_distance, first.style_distance_error, last.style_distance_error)
    if any(value is None for value in values):
        return ""
    before, after, *errors = (value or 0.0 for value in values)
    change, noise = after - before, _Z_95 * sum(error**2 for error in errors) ** 0.5
    figures = f"{before:.3f} at first, {after:.3f} at last, noise {noise:.3f}"
    if abs(change) <= noise:
        return f"The style distance did not change by more than noise ({figures})."
    return f"The style distance {'fell' if change < 0 else 'grew'} ({figures})."


def _picture(points: Sequence[CurvePoint]) -> str:
    """Accuracy with its intervals, and below it the style distance with its own."""
    rounds = float(points[-1].round)
    accuracy = [
        (float(point.round), point.accuracy, point.accuracy_low, point.accuracy_high)
        for point in points
        if point.accuracy is not None and point.accuracy_low is not None and point.accuracy_high is not None
    ]
    distance = [
        (float(point.round), point.style_distance, *_around(point.style_distance, point.style_distance_error))
        for point in points
        if point.style_distance is not None and point.style_distance_error is not None
    ]
    most = math.ceil(2 * max((high for *_, high in distance), default=1.0)) / 2
    second = TOP + PANEL + BETWEEN
    parts = [
        panel("accuracy of the discriminator (0.5 is the goal)", [[_line(accuracy)]], rounds, TOP, (0.0, 1.0)),
        *_whiskers(accuracy, rounds, TOP, 1.0),
        panel("style distance to the reference", [[_line(distance)]], rounds, second, (0.0, most)),
        *_whiskers(distance, rounds, second, most),
        *_axis(points, rounds, second + PANEL),
    ]
    return image("curve over rounds", picture(second + PANEL + BOTTOM, parts))


def _line(points: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float]]:
    return [(at, value) for at, value, *_ in points]


def _around(value: float, error: float) -> tuple[float, float]:
    return max(0.0, value - _Z_95 * error), value + _Z_95 * error


def _whiskers(points: Sequence[tuple[float, float, float, float]], rounds: float, top: float, most: float) -> list[str]:
    return [
        f'<line x1="{x_of(at, rounds):.1f}" x2="{x_of(at, rounds):.1f}" y1="{y_of(low, top, 0.0, most):.1f}" '
        f'y2="{y_of(high, top, 0.0, most):.1f}" stroke="{colour(0)}" stroke-width="5" stroke-opacity="0.35"/>'
        for at, _, low, high in points
    ]


def _axis(points: Sequence[CurvePoint], rounds: float, bottom: float) -> list[str]:
    anchors = {0: "start", points[-1].round: "end"}
    parts: list[str] = []
    for point in points:
        anchor, label = anchors.get(point.round, "middle"), f"round {point.round}" if point.round else "start"
        parts.append(
            f'<text x="{x_of(point.round, rounds):.1f}" y="{bottom + 16:g}" text-anchor="{anchor}" '
            f'fill="#666666">{label}</text>'
        )
    return parts


def accuracy_said(point: CurvePoint) -> str:
    """The accuracy with its interval, or that there is none."""
    if point.accuracy is None or point.accuracy_low is None or point.accuracy_high is None:
        return "not measured"
    return f"{point.accuracy:.2f} ({point.accuracy_low:.2f} to {point.accuracy_high:.2f})"


def _row(point: CurvePoint) -> str:
    known = [point.auc, point.style_distance, point.grade]
    figures = " | ".join("not measured" if value is None else f"{value:.3f}" for value in known)
    return f"| {point.round} | {accuracy_said(point)} | {figures} | {point.kept} | {point.rejected} |"


def _shown(interval: Interval | None) -> str:
    if interval is None:
        return "not measured"
    return f"{interval.effect:+.3f} ({interval.low:+.3f} to {interval.high:+.3f})"


def _change_row(number: int, tried: TriedChange) -> str:
    effect = tried.effect
    why = "; ".join(effect.worse) or effect.reason or "no effect beyond noise"
    outcome = "kept" if tried.is_kept else f"dropped: {why}"
    name = f"{tried.name} ({tried.why})" if tried.why else tried.name
    return f"| {number} | {cell(name)} | {_shown(effect.target)} | {_shown(effect.distance)} | {outcome} |"
