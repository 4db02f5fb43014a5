"""`pintag event …`: the life of Custom Event definitions. docs/events.md is the prose."""

import typer

from tracker.cli.events import asking, governing, saving, showing

app = typer.Typer(
    help="Custom Event definitions, their versions and their web tracking.", no_args_is_help=True
)

app.command("create")(saving.create)
app.command("edit")(saving.edit)
app.command("list")(showing.list_)
app.command("show")(showing.show)
app.command("diff")(asking.diff)
app.command("check")(asking.check)
app.command("pages")(asking.pages)
app.command("track")(governing.track)
app.command("untrack")(governing.untrack)
app.command("allow")(governing.allow)
app.command("retain")(governing.retain)
app.command("hide")(governing.hide)
