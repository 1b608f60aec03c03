"""The frame of every page we write: head, colours by the reader's light or dark setting, and what pages look alike in.

A page's own template begins with `<style>`, what is particular to it, and goes on with the content of its body. No page
needs the network or runs a script; the policy in the head forbids both.
"""

from functools import cache
from importlib.resources import files
from string import Template

from tip_assets.exports.report_text import escaped

_FRAME = ("tip_assets", "page_frame.html")


def html_page(package: str, name: str, title: str, /, **values: str) -> str:
    """The whole page.

    Args:
        package: Where the template lies.
        name: The template's file.
        title: Of the window; escaped here.
        values: What the template asks for, as HTML.
    """
    style, _, content = _text(package, name).removeprefix("<style>").partition("</style>")
    return Template(_text(*_FRAME)).substitute(
        title=escaped(title), style=style.strip(), body=Template(content.strip()).substitute(values)
    )


@cache
def _text(package: str, name: str) -> str:
    return (files(package) / name).read_text(encoding="utf-8")
