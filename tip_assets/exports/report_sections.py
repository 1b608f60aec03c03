"""The report's sections as HTML fragments; the page around them is report_template.html."""

from tip_assets.exports.report_charts import bar, bar_list, histogram
from tip_assets.exports.report_data import Count, Distribution, FunnelStep, ReportData, SampleCall
from tip_assets.exports.report_text import SPEAKER_WORDS, calls, escaped, humanised, in_short, with_tags_marked

# As grading.py names itself in a grade.
_LOCAL_GRADER = "tip-local"
# A short set names this many of its reasons at the top; all of them are in the funnel.
_REASONS_SAID = 3
SCRIPTED_BANNER = "These calls were written by the scripted rehearsal server, not by a language model."

_STEP_WORDS = {
    "asked": ("Asked", "in the request"),
    "written": ("Written", "answers received, replacements included"),
    "valid": ("Valid", "a complete call in the right form"),
    "distinct": ("Distinct", "repeats no other call"),
    "passed": ("Passed", "grade high enough, personal data replaced"),
    "exported": ("Exported", "in the files delivered"),
}


def banner(data: ReportData) -> str:
    """Says plainly when calls were scripted; empty otherwise."""
    if not data.scripted_calls:
        return ""
    words = SCRIPTED_BANNER
    if data.scripted_calls < data.exported:
        words = f"{data.scripted_calls:,} of {data.exported:,} calls were written by the scripted rehearsal server."
    return (
        f'<aside class="banner"><strong>{escaped(words)}</strong> '
        "They show how everything works, not how a model performs.</aside>"
    )


def verdict(data: ReportData) -> str:
    """One sentence on asked and delivered, and one on why when it is less."""
    missing = data.asked - data.exported
    if missing <= 0:
        return f"{calls(data.asked)} asked, <em>{data.exported:,} delivered</em>."
    lost = [f"{humanised(count.name)} ({count.count:,})" for count in data.rejects[:_REASONS_SAID]]
    why = f" What fell out, and could not all be replaced: {', '.join(lost)}." if lost else ""
    delivered = f'<em class="short">{data.exported:,} delivered</em>'
    return f"{calls(data.asked)} asked, {delivered}, {missing:,} short.{escaped(why)}"


def notes(data: ReportData) -> str:
    """Warnings, or nothing."""
    if not data.warnings:
        return ""
    items = "".join(f"<li>{escaped(warning)}</li>" for warning in data.warnings)
    return f'<section class="notes"><h2>Worth knowing</h2><ul>{items}</ul></section>'


def key_figures(data: ReportData) -> str:
    """The strip of large numbers; what was not measured is left out."""
    overall = data.grades[-1] if data.grades else None
    figures = [
        ("call" if data.exported == 1 else "calls", in_short(data.exported), ""),
        ("turns", in_short(data.turns_total), ""),
        ("words", in_short(data.words_total), ""),
    ]
    if overall and overall.median is not None:
        figures.append(("median grade", f"{overall.median:.2f}", "of 5"))
    figures.append(("personal data replaced", in_short(sum(count.count for count in data.personal_data)), "places"))
    if data.tokens_out is not None:
        figures.append(("tokens written", in_short(data.tokens_out), ""))
    return "".join(
        f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}<small>{escaped(unit)}</small></dd></div>"
        for name, value, unit in figures
    )


def proof(data: ReportData) -> str:
    """The three promises of a set, each with what was done to keep it."""
    found = sum(count.count for count in data.duplicates.by_method)
    places = sum(count.count for count in data.personal_data)
    lost = {count.name: count.count for count in data.rejects}
    held_back, poor = lost.get("unscrubbable", 0) + lost.get("personal_data_left", 0), lost.get("low_grade", 0)
    minimum = f" reaches {data.minimum_overall:.2f} of 5" if data.minimum_overall is not None else " has its grade"
    repeats = _counted(found, "repeat") + (" found and left out" if found else " found")
    held = (
        f"{calls(held_back)} held back, for something could not be replaced."
        if held_back
        else ("No call was held back because something could not be replaced.")
    )
    reached = f"Every one{minimum}." if data.exported else ""
    below = f"{calls(poor)} below that left out or written anew." if poor else "None was left out for its grade."
    cards = (
        ("Distinct", f"{found:,}", repeats, "Every call was compared with every other one, by its words and with names "
         "and numbers masked, and with all sets delivered before."),
        ("Safe to share", f"{places:,}", f"{_counted(places, 'piece')} of personal data replaced",
         f"{data.known_facts_replaced:,} of them known facts of the speakers, of which a second, separate search found "
         f"none left. {held}"),
        ("Worth training on", f"{data.exported:,}", f"{_counted(data.exported, 'call')} above the bar",
         f"{reached} {below}"),
    )  # fmt: skip
    return "".join(
        f"<article><h3>{escaped(title)}</h3><p><b>{number}</b> {escaped(what)}</p>"
        f'<p class="quiet">{escaped(how)}</p></article>'
        for title, number, what, how in cards
    )


def _counted(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def named_metrics(data: ReportData) -> str:
    """The named metrics behind the grades, averaged over all calls."""
    rows = "".join(
        f"<li><span>{escaped(humanised(name))}</span><b>{mean:.2f}</b>{bar(mean)}</li>"
        for name, mean in data.grade_metrics
    )
    if not rows:
        return ""
    note = "Behind the grades: means over all calls, from 0 to 1."
    if any(name == "human_likeness" for name, _ in data.grade_metrics):
        note += " Human likeness is what a small trained model thinks; it changes no grade."
    return f'<p class="quiet spaced">{note}</p><ul class="bars inline">{rows}</ul>'


def request_facts(data: ReportData) -> str:
    """What was understood of the request."""
    return "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in data.request)


def funnel_rows(data: ReportData) -> str:
    """One row per step, with what was lost on the way to it."""
    top = max((step.count for step in data.funnel), default=0) or 1
    return "".join(_funnel_row(step, top, data.asked) for step in data.funnel)


def _funnel_row(step: FunnelStep, top: int, asked: int) -> str:
    title, meaning = _STEP_WORDS.get(step.name, (humanised(step.name), ""))
    reasons = "".join(f"<li><b>{loss.count:,}</b> {escaped(humanised(loss.name))}</li>" for loss in step.losses)
    lost = f'<ul class="lost" aria-label="lost on the way">{reasons}</ul>' if reasons else ""
    extra = step.count - asked
    if step.name == "written" and extra < 0:
        lost = f'<p class="quiet">{-extra:,} fewer than asked: no answer came, or the replacement rounds ran out</p>'
    elif step.name == "written" and extra > 0:
        lost = f'<p class="quiet">{extra:,} more than asked, in place of what fell out below</p>'
    return (
        f'<li><div class="step"><b>{escaped(title)}</b><small>{escaped(meaning)}</small></div>'
        f'<div class="count">{step.count:,}</div>{bar(step.count / top, "bar wide", lost=step.lost / top)}{lost}</li>'
    )


def grade_charts(data: ReportData) -> str:
    """R, C, N and O side by side on one axis."""
    if not any(grade.count for grade in data.grades):
        return '<p class="quiet">The calls of this set carry no grades.</p>'
    return "".join(
        _chart(grade, digits=2, marker=data.minimum_overall if grade.name == "overall" else None, is_small=True)
        for grade in data.grades
    )


def grade_footnote(data: ReportData) -> str:
    """Who graded, and what the dashed line is."""
    words = []
    if data.graded_by:
        graders = ", ".join(f"{_grader_in_words(grader.name)} ({calls(grader.count)})" for grader in data.graded_by)
        words.append(f"Graded by {graders}; 0 to 5.")
    if data.graded_by and data.minimum_overall is not None:
        words.append(f"Dashed: a call needs {data.minimum_overall:.2f} overall.")
    return escaped(" ".join(words))


def _grader_in_words(name: str) -> str:
    grader, _, rubric = name.partition(" ")
    return f"measures of form, without a model, version {rubric}" if grader == _LOCAL_GRADER else name


def shape_charts(data: ReportData) -> str:
    """Turns and words per call."""
    return _chart(data.turns) + _chart(data.words)


def _chart(distribution: Distribution, *, digits: int = 0, marker: float | None = None, is_small: bool = False) -> str:
    stats = ""
    if distribution.median is not None and distribution.low is not None and distribution.high is not None:
        spread = (
            f", {distribution.low:,.{digits}f} to {distribution.high:,.{digits}f}" if distribution.count > 1 else ""
        )
        name = "median" if distribution.count > 1 else "one call"
        stats = f"<small>{name} <b>{distribution.median:,.{digits}f}</b>{spread}</small>"
    title = distribution.name[:1].upper() + distribution.name[1:]
    chart = histogram(distribution, marker=marker, digits=digits, is_small=is_small)
    return f"<figure><figcaption><b>{escaped(title)}</b>{stats}</figcaption>{chart}</figure>"


def coverage_columns(data: ReportData) -> str:
    """Templates, complications and outcomes."""
    return (
        _coverage("Scenario templates", data.templates)
        + _coverage("Complications", data.complications)
        + _coverage("Outcomes", data.outcomes)
    )


def _coverage(title: str, counts: tuple[Count, ...]) -> str:
    used = sum(1 for count in counts if count.count)
    of = f"{used:,} of {len(counts):,} used" if used < len(counts) else f"{used:,} different"
    note = f"<small>{of}</small>" if counts else ""
    return f"<div><h3>{escaped(title)}{note}</h3>{bar_list(counts, empty='Not known for this set.')}</div>"


def privacy_column(data: ReportData) -> str:
    """Personal data by type: counts only."""
    note = f"in {data.calls_with_personal_data:,} of {calls(data.exported)}" if data.personal_data else ""
    chart = bar_list(data.personal_data, empty="None was found.")
    return f"<div><h3>Personal data replaced<small>{escaped(note)}</small></h3>{chart}</div>"


def rejects_column(data: ReportData) -> str:
    """What could not be used, by reason: counts only."""
    total = sum(count.count for count in data.rejects)
    note = f"{total:,} in all, kept with their text in the set's rejects" if total else ""
    chart = bar_list(data.rejects, css_class="bar loss", empty="Nothing was rejected.")
    return f"<div><h3>Rejected, by reason<small>{escaped(note)}</small></h3>{chart}</div>"


def sample_calls(data: ReportData) -> str:
    """Calls to read, the first one open."""
    if not data.samples:
        return '<p class="quiet">There is no call to show.</p>'
    return "".join(_sample(sample, is_open=place == 0) for place, sample in enumerate(data.samples))


def _sample(sample: SampleCall, *, is_open: bool) -> str:
    turns = "".join(
        f'<li class="{escaped(turn.speaker)}"><b>{escaped(SPEAKER_WORDS.get(turn.speaker, turn.speaker))}</b>'
        f'<p dir="auto">{with_tags_marked(turn.text)}</p></li>'
        for turn in sample.shown
    )
    hidden = sample.turns - len(sample.shown)
    rest = f'<p class="quiet">{hidden:,} more turns are in the export.</p>' if hidden > 0 else ""
    grade = f"<i>{sample.overall:.2f}</i>" if sample.overall is not None else ""
    return (
        f"<details{' open' if is_open else ''}><summary><b>{escaped(sample.title or 'Call')}</b>"
        f"<span>{escaped(sample.why)}</span><span>{sample.turns:,} turns</span>{grade}</summary>"
        f"<ol>{turns}</ol>{rest}<code>{escaped(sample.id)}</code></details>"
    )
