"""HTML as a browser would split it up, for tests that look at pages."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"br", "img", "input", "line", "link", "meta"}


class Page(HTMLParser):
    """Every element in order as (tag, attributes, pieces of text inside it)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[int] = []
        self.feed(html)
        self.close()
        assert self.open == [], "an element was never closed"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))
        if tag not in VOID:
            self.open.append(len(self.elements) - 1)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data):
        for index in self.open:
            self.elements[index][2].append(data)

    def with_class(self, name: str) -> list[tuple[dict[str, str | None], str]]:
        """Return (attributes, text) of every element of the class."""
        return [
            (attrs, "".join(text))
            for _, attrs, text in self.elements
            if name in (attrs.get("class") or "").split()
        ]

    def with_tag(self, name: str) -> list[tuple[dict[str, str | None], str]]:
        """Return (attributes, text) of every element of the tag."""
        return [(attrs, "".join(text)) for tag, attrs, text in self.elements if tag == name]
