"""Filling in the form of an event as a browser without JavaScript does."""

from html.parser import HTMLParser

from tests.pages.conftest import Person

Form = dict[str, str | list[str]]


class _Controls(HTMLParser):
    """What the form would send, its buttons, and the errors by the field they stand beside."""

    def __init__(self) -> None:
        super().__init__()
        self.form: dict[str, list[str]] = {}
        self.errors: dict[str, str] = {}
        self.buttons: list[str] = []
        self.focus = ""
        self._select = self._text = ""
        self._error = ""
        self._in_template = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_template = self._in_template or tag == "template"
        if self._in_template:
            return
        name = given.get("name", "")
        if "autofocus" in given:
            self.focus = given.get("id") or given.get("value", "")
        if tag == "button":
            self.buttons.append(given.get("value", ""))
        elif tag in ("select", "textarea"):
            self._select, self._text = (name, "") if tag == "select" else ("", name)
            self.form[name] = [""]
        elif tag == "option" and "selected" in given:
            self.form[self._select] = [given["value"]]
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.form.setdefault(name, []).append(given.get("value", ""))
        elif given.get("class") == "error":
            self._error = given.get("id", "").removesuffix("-error")

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self._in_template = False
        if tag in ("select", "textarea"):
            self._select = self._text = ""
        if tag == "p":
            self._error = ""

    def handle_data(self, data: str) -> None:
        if self._error:
            self.errors[self._error] = self.errors.get(self._error, "") + data
        elif self._text and not self._in_template:
            self.form[self._text] = [data]


class Typed:
    """The form as the browser shows it; each button leads to the next."""

    def __init__(self, person: Person, address: str) -> None:
        self._person, self._address = person, address
        self.take(*person.get(address))

    def take(self, status: int, text: str) -> None:
        self.status, self.text = status, text
        controls = _Controls()
        controls.feed(text)
        self.form, self.errors = controls.form, controls.errors
        self.buttons, self.focus = controls.buttons, controls.focus

    @property
    def keys(self) -> list[str]:
        """The field names, in their order."""
        return [self.form[f"f{row}-key"][0] for row in self.form.get("row", [])]

    def type(self, **values: str) -> "Typed":
        """Type into name, description, or a row's part: `f0_key`."""
        for name, value in values.items():
            self.form[name.replace("_", "-")] = [value]
        return self

    def untick(self, name: str) -> "Typed":
        self.form.pop(name)
        return self

    def press(self, action: str = "save") -> "Typed":
        form: Form = {name: list(values) for name, values in self.form.items()}
        self.take(*self._person.post(self._address, **{**form, "action": action}))
        return self
