"""Paths of the owner's choice: snippets are rendered with them, and the default ones live on."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.collector import house as houses
from tests.collector.house import House
from tests.collector.test_refusing import GOOD, refused, said
from tracker.collector.app import make_app
from tracker.rules.refusals import Refusal
from tracker.settings import Settings
from tracker.snippets import forms, tracking
from tracker.snippets.forms import FormName
from tracker.snippets.render import hosted_script
from tracker.stores import definitions
from tracker.stores.definitions import Definition


@pytest.mark.parametrize(
    ("hits_path", "scripts_path"),
    [("/pt/h", "/pt/js"), ("/a", "/a"), ("/v1", "/v1"), ("/s", "/v1"), ("/health", "/health")],
)
def test_the_collector_answers_at_both(
    settings: Settings, house: House, key: str, hits_path: str, scripts_path: str
) -> None:
    chosen = replace(settings, hits_path=hits_path, scripts_path=scripts_path)
    with houses.running(make_app(chosen)) as collector:
        http, script = collector.http, f"{hosted_script().hash}.js"
        for path in (hits_path, "/v1"):
            assert http.post(f"{path}/{key}", content=GOOD).status_code == 204
            assert http.get(f"{path}/{key}.gif?_visitor=anna").status_code == 200
            assert http.options(f"{path}/{key}").status_code == 204
            assert said(http.post(f"{path}/x", content=GOOD)) == refused(Refusal.UNKNOWN_KEY)
        for path in (scripts_path, "/s"):
            assert http.get(f"{path}/{script}").text == hosted_script().body
        assert http.get("/health").text == "ok"
        assert said(http.get("/other/x.js")) == (404, "path")
        assert said(http.post("/health", content=GOOD)) == (405, "method")
    assert len(house.hits()) == 4


def test_snippets_are_rendered_with_them(
    settings: Settings, house: House, key: str, vote: Definition
) -> None:
    vote = definitions.get(house.db, vote.id)
    chosen = replace(
        settings,
        collector_url="https://shop.example/x/",
        hits_path="/pt/h",
        scripts_path="/pt/js",
    )
    config = tracking.snippet_config(house.db, chosen, vote, datetime.now(UTC))
    for form in set(FormName) - {FormName.TYPES}:  # which have no address
        assert f"https://shop.example/x/pt/h/{key}" in forms.render(config, form).text
    source = f'src="https://shop.example/x/pt/js/{hosted_script().hash}.js"'
    assert source in forms.render(config, FormName.HOSTED).text
