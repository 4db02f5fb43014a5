"""Every page asks for its role, every form for its session's token; headers are strict."""

import re

import pytest
from starlette.testclient import TestClient

from tests.pages.conftest import Person, SignIn
from tracker.pages import streams
from tracker.pages.page import Page
from tracker.pages.routes import PAGES
from tracker.rules.accounts import Role

VALUES = {"section": "shop", "keyspace": "web", "key": "ann", "token": "none", "client": "none"}
GUARDED = [page for page in PAGES if page.role is not None]
EVERYWHERE = [page for page in GUARDED if page.everywhere]
ODD = ["%00", "٣", "a%2Fb", "..%2F..", "x" * 20_000, "%ff%fe", "%ED%A0%80"]
FORMS = [page for page in GUARDED if page.method == "POST"]


def test_where_there_is_no_page_people_see_one_and_programs_a_problem(
    stranger: TestClient,
) -> None:
    page = stranger.get("/nothing/here", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 404
    assert '<a href="/">Start page</a>' in page.text
    problem = stranger.get("/nothing/here", headers={"Accept": "*/*"})
    assert (problem.status_code, problem.json()["title"]) == (404, "Not Found")


def name_of(page: Page) -> str:
    return f"{page.method} {page.path}"


def address(page: Page, **values: str) -> str:
    """The page's address in the shop, of what is there, or of something that need not be."""
    known = {**VALUES, **values}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: known.get(m[1], "booking"), page.path)


@pytest.fixture(autouse=True)
def short_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams end as soon as they have begun."""
    monkeypatch.setattr(streams, "LONGEST", 0)


@pytest.fixture
def viewer(sign_in: SignIn) -> Person:
    return sign_in(Role.VIEWER)


@pytest.mark.parametrize("page", GUARDED, ids=name_of)
def test_nobody_gets_in_without_signing_in(stranger: TestClient, page: Page) -> None:
    answer = stranger.request(page.method, address(page), follow_redirects=False)
    if page.method == "GET":
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?to=/")
    else:
        assert answer.status_code == 403
        assert "you are signed out" in answer.text


@pytest.mark.parametrize("page", [p for p in GUARDED if "{section}" in p.path], ids=name_of)
def test_other_sections_are_not_there(owner: Person, page: Page) -> None:
    where = address(page, section="hotel")
    status, text = owner.get(where) if page.method == "GET" else owner.post(where)
    assert status == 404
    assert "no section" in text


@pytest.mark.parametrize("page", [p for p in GUARDED if p.role != Role.VIEWER], ids=name_of)
def test_a_viewer_does_nothing_that_takes_more(viewer: Person, page: Page) -> None:
    where = address(page)
    status, text = viewer.get(where) if page.method == "GET" else viewer.post(where)
    assert status == 403
    assert "This takes the role of" in text
    assert "<h1>Not allowed</h1>" in text


@pytest.mark.parametrize("page", EVERYWHERE, ids=name_of)
def test_an_owner_of_one_section_does_nothing_that_is_everybodys(owner: Person, page: Page) -> None:
    where = address(page)
    status, text = owner.get(where) if page.method == "GET" else owner.post(where)
    assert status == 403
    assert re.search(r"This takes the role of an? \w+ of all sections", text)


@pytest.mark.parametrize("page", [p for p in GUARDED if p.method == "GET"], ids=name_of)
def test_an_owner_sees_every_page(sign_in: SignIn, page: Page, booking: None) -> None:
    status, _ = sign_in(section=None).get(address(page))
    assert status in (200, 404)


@pytest.mark.parametrize("page", FORMS, ids=name_of)
def test_forms_of_other_sites_do_nothing(sign_in: SignIn, page: Page) -> None:
    owner = sign_in(section=None)
    forged: list[tuple[str, dict[str, str]]] = [
        ("", {}),
        ("0" * 64, {}),
        (owner.csrf, {"Origin": "https://evil.example"}),
        (owner.csrf, {"Sec-Fetch-Site": "cross-site"}),
    ]
    for csrf, headers in forged:
        answer = owner.client.post(address(page), data={"csrf": csrf}, headers=headers)
        assert answer.status_code == 403
    assert owner.get("/settings")[0] == 200  # still signed in


def test_odd_addresses_are_of_nothing(owner: Person) -> None:
    for page in GUARDED:
        for name in re.findall(r"{(\w+)", page.path):
            for odd in ODD if name == "slug" else ODD[:2]:
                where = address(page, **{name: odd})
                status, _ = owner.get(where) if page.method == "GET" else owner.post(where)
                assert status in (404, 405) if name == "slug" else status < 500, where


def test_pages_let_nothing_run_but_their_own(owner: Person, stranger: TestClient) -> None:
    for client, where in ((owner.client, "/"), (stranger, "/sign-in"), (stranger, "/welcome/x")):
        answer = client.get(where)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?! src=)|style=|\son\w+=", answer.text)


def test_a_form_that_is_too_large_is_refused(owner: Person) -> None:
    assert owner.post("/sign-out", x="x" * 600_000)[0] == 413
