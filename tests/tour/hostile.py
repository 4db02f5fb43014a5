"""What strangers send and people type, that must be text wherever it is shown."""

KINDS = (
    "section",
    "event",
    "description",
    "label",
    "about a field",
    "value",
    "wrong value",
    "wrong name",
    "visitor",
    "page",
    "agent",
    "claim",
    "account",
    "merger",
    "client",
)
"""All of them are shown somewhere."""


def hostile(kind: str) -> str:
    """A text that shows itself, if it is taken for HTML, as an element of the class `hacked`."""
    return f"\"'><script class=hacked>hacked=1</script>{kind}"


ADDRESS = "javascript:hacked=1//shop.example/"
"""A page's address, as a hit may name it: nobody must be led there."""
