"""The data set report: one HTML page that needs no network and no script.

Figures come from report_collect.py; the look is in report_template.html and html_page.py.
"""

from tip_assets.exports import report_recipe, report_sections
from tip_assets.exports.report_data import ReportData
from tip_assets.exports.report_duplicates import duplicates_section
from tip_assets.exports.report_metrics import metrics_section
from tip_assets.exports.report_text import escaped, moment
from tip_assets.html_page import html_page


def render_report(data: ReportData) -> str:
    """The whole page. Everything from models, files and people is escaped.

    Returns:
        HTML that opens from a file, prints, and follows the reader's light or dark setting.
    """
    return html_page(
        "tip_assets.exports",
        "report_template.html",
        f"{data.dataset} - data set report",
        title=escaped(data.dataset),
        query=f"<blockquote>{escaped(data.query)}</blockquote>" if data.query else "",
        banner=report_sections.banner(data),
        verdict=report_sections.verdict(data),
        figures=report_sections.key_figures(data),
        notes=report_sections.notes(data),
        proof=report_sections.proof(data),
        request=report_sections.request_facts(data),
        funnel=report_sections.funnel_rows(data),
        grades=report_sections.grade_charts(data),
        grade_footnote=report_sections.grade_footnote(data),
        named_metrics=report_sections.named_metrics(data),
        duplicates=duplicates_section(data),
        metrics=metrics_section(data),
        shape=report_sections.shape_charts(data),
        coverage=report_sections.coverage_columns(data),
        privacy=report_sections.privacy_column(data),
        rejects=report_sections.rejects_column(data),
        samples=report_sections.sample_calls(data),
        recipes=report_recipe.recipe_cards(data),
        run=report_recipe.run_facts(data),
        exports=report_recipe.export_table(data),
        generated_at=escaped(moment(data.generated_at)),
        tip_version=escaped(data.tip_version),
    )
