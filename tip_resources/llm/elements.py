"""Finds the elements of an answer's array in streamed text, each the moment it closes.

An incremental scanner, not a parser: it follows brackets and strings across any chunks and hands every
complete element to json_values.py. Reasoning was taken away before (reasoning.py).
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec

from tip_resources.llm.json_values import parse_value

_NOT_SPACE = re.compile(r"\S")
_OPENER = re.compile(r"[{\[]")
_IN_STRING = re.compile(r'["\\]')
_BEFORE_ELEMENT = re.compile(r'[^"{}\[\]]*+')
# All that changes nothing inside an element: plain text, whole strings, flat objects and arrays.
_PLAIN = r'[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+"'
_INSIDE_ELEMENT = re.compile(rf"(?:{_PLAIN}|{{(?:{_PLAIN})*+}}|\[(?:{_PLAIN})*+\])*+", re.DOTALL)
_IN_WRAPPER = re.compile(r'["{}\[\]:,]')
_SCALAR_END = re.compile(r'[,"{}\[\]]')
_OPENER_OF = {"}": "{", "]": "["}


class Found(msgspec.Struct, frozen=True):
    """One element: its place in the array (broken ones counted), its value and its text."""

    position: int
    value: Any
    raw_text: str


class ElementScanner:
    """Yields the elements of the array under `items_key`, wherever in the text its object stands.

    Also taken: a bare top-level array of objects, and top-level objects without such an array, each as one
    item. With `items_key` None every top-level object (or array of objects) is one item as a whole. Prose and
    code fences around are passed over; what stands between elements, and elements that are not JSON, go to
    `skipped`.
    """

    def __init__(self, items_key: str | None) -> None:
        self.skipped: list[str] = []
        self._items_key = items_key
        self._mode: Literal["prose", "wrapper", "array", "element", "scalar"] = "prose"
        self._stack: list[str] = []  # open brackets
        self._base = 0  # how many of them stand around the element
        self._in_string = False
        self._is_escaped = False  # the chunk ended between a backslash and its character
        self._is_fresh = False  # a top-level bracket has opened; the next character tells whether it is JSON
        self._is_bare = False  # the array stands alone, not under items_key
        self._string: list[str] = []  # the last string of a wrapper: it may be a key
        self._key: str | None = None  # the key whose value comes next
        self._capture: list[str] | None = None  # text of the element, or of a top-level object that may be one
        self._arrays = 0
        self._position = 0
        self._found: list[Found] = []

    @property
    def is_open(self) -> bool:
        """Whether brackets are still open: the text ended in the middle of an answer."""
        return self._mode != "prose"

    def feed(self, text: str) -> list[Found]:
        """Reads a chunk; returns the elements that closed in it, in order."""
        at = 0
        while at < len(text):
            at = self._STEPS[self._mode](self, text, at)
        found, self._found = self._found, []
        return found

    def _read_prose(self, text: str, at: int) -> int:
        match = _OPENER.search(text, at)
        if match is None:
            return len(text)
        bracket = match.group()
        self._stack, self._key, self._is_fresh = [bracket], None, True
        if bracket == "[" and self._items_key is not None:
            self._mode, self._is_bare = "array", True
        else:
            self._mode, self._capture = "wrapper", [bracket]
        return match.end()

    def _read_wrapper(self, text: str, at: int) -> int:
        if self._is_fresh:
            match = _NOT_SPACE.search(text, at)
            if match is None:
                return self._keep(text, at, len(text))
            if match.group() not in self._json_begins_with():
                self._leave()
                return match.start()
            self._is_fresh = False
        if self._in_string:
            end = self._string_end(text, at)
            self._string.append(text[at:end])
            return self._keep(text, at, end)
        if self._items_key is None:  # keys matter to nobody
            match = _INSIDE_ELEMENT.match(text, at)
            at = self._keep(text, at, match.end()) if match else at
        match = _IN_WRAPPER.search(text, at)
        if match is None:
            return self._keep(text, at, len(text))
        self._keep(text, at, match.end())
        self._read_wrapper_mark(match.group())
        return match.end()

    def _json_begins_with(self) -> str:
        """What may stand behind the first bracket; `{}` in prose is no item, but it may be a whole document."""
        if self._stack == ["["]:
            return "{]"
        return '"}' if self._items_key is None else '"'

    def _read_wrapper_mark(self, mark: str) -> None:
        if mark == '"':
            self._in_string, self._string = True, []
        elif mark == ":":
            self._key = "".join(self._string).removesuffix('"')
        elif mark == ",":
            self._key = None
        elif mark in "{[":
            is_items = mark == "[" and self._key is not None and self._key == self._items_key
            if is_items and "[" not in self._stack:
                self._mode, self._is_bare, self._capture = "array", False, None
                self._arrays += 1
            self._stack.append(mark)
            self._key = None
        elif self._close(mark, 0) and not self._stack:
            self._end_document()

    def _end_document(self) -> None:
        """A top-level object closed: without an array of items in it, it may be an item itself."""
        raw = None if self._capture is None else "".join(self._capture)
        self._leave()
        if raw is None:
            return
        if self._items_key is None or self._arrays == 0:
            self._offer(raw)
        else:
            self.skipped.append(raw)

    def _read_array(self, text: str, at: int) -> int:
        match = _NOT_SPACE.search(text, at)
        if match is None:
            return len(text)
        mark = match.group()
        if self._is_bare and self._is_fresh and mark not in "{]":
            self._leave()
            return match.start()
        if mark == "]" or (mark == "}" and not self._is_bare):
            self._close(mark, 0)
            self._mode = "wrapper" if self._stack else "prose"
        elif mark not in ",}":
            self._mode = "element" if mark in '{["' else "scalar"
            self._base, self._capture = len(self._stack), []
            self._is_fresh = False
            return match.start()
        self._is_fresh = False
        return match.end()

    def _read_element(self, text: str, at: int) -> int:
        here = at
        while here < len(text):
            if self._in_string:
                here = self._string_end(text, here)
                if self._in_string or len(self._stack) > self._base:
                    continue
                return self._end_element(text, at, here)
            uneventful = _INSIDE_ELEMENT if len(self._stack) > self._base else _BEFORE_ELEMENT
            match = uneventful.match(text, here)
            start = match.end() if match else here
            if start == len(text):
                break
            mark, here = text[start], start + 1
            if mark == '"':
                self._in_string = True
            elif mark in "{[":
                self._stack.append(mark)
            elif self._close(mark, self._base):
                if len(self._stack) == self._base:
                    return self._end_element(text, at, here)
            elif mark == "]":
                # The array closes around an element that never did.
                return self._end_element(text, at, start)
        return self._keep(text, at, len(text))

    def _end_element(self, text: str, at: int, end: int) -> int:
        self._keep(text, at, end)
        raw, self._capture = "".join(self._capture or ()), None
        del self._stack[self._base :]
        self._mode = "array"
        self._offer(raw)
        return end

    def _read_scalar(self, text: str, at: int) -> int:
        match = _SCALAR_END.search(text, at)
        if match is None:
            return self._keep(text, at, len(text))
        self._keep(text, at, match.start())
        raw, self._capture = "".join(self._capture or ()).strip(), None
        self._mode = "array"
        try:
            value = parse_value(raw)
        except ValueError:
            self.skipped.append(raw)  # a comment, dots, a lost word: no element, so it has no place
        else:
            self._give(value, raw)
        return match.start()

    def _offer(self, raw: str) -> None:
        """Gives out an element if it is JSON; else it is skipped but keeps its place."""
        try:
            value = parse_value(raw)
        except ValueError:
            self.skipped.append(raw)
            self._position += 1
        else:
            self._give(value, raw)

    def _give(self, value: Any, raw: str) -> None:
        if self._is_bare and not isinstance(value, dict):
            self.skipped.append(raw)
            return
        self._found.append(Found(self._position, value, raw))
        self._position += 1

    def _close(self, mark: str, base: int) -> bool:
        """Closes the nearest fitting bracket above `base`, with all that was left open in it."""
        opener = _OPENER_OF[mark]
        for depth in range(len(self._stack) - 1, base - 1, -1):
            if self._stack[depth] == opener:
                del self._stack[depth:]
                return True
        return False

    def _string_end(self, text: str, at: int) -> int:
        """Where the string closes, or the end of the chunk while it is still open."""
        if self._is_escaped:
            self._is_escaped = False
            at += 1
        while match := _IN_STRING.search(text, at):
            if match.group() == '"':
                self._in_string = False
                return match.end()
            at = match.end() + 1
            if at > len(text):
                self._is_escaped = True
                break
        return len(text)

    def _keep(self, text: str, at: int, end: int) -> int:
        if self._capture is not None:
            self._capture.append(text[at:end])
        return end

    def _leave(self) -> None:
        self._mode, self._stack, self._capture, self._is_bare, self._is_fresh = "prose", [], None, False, False
        self._in_string = False

    _STEPS: ClassVar[dict[str, Callable[["ElementScanner", str, int], int]]] = {
        "prose": _read_prose,
        "wrapper": _read_wrapper,
        "array": _read_array,
        "element": _read_element,
        "scalar": _read_scalar,
    }
