"""Whatever is done in whatever order, at whatever time: these hold after each step."""

from collections.abc import Callable
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from tests.sequences.life import KEYS, Life, lives
from tracker.rules.definitions import current_version, deprecated_at
from tracker.rules.edits import locked
from tracker.rules.fields import FieldType
from tracker.rules.validation import Validator
from tracker.settings import Settings
from worker import loop

INDEX = st.integers(0, 5)
TYPES = st.lists(st.sampled_from(FieldType), max_size=len(KEYS))
VISITORS = st.sampled_from(["ann", "ben", "cid", None])
PAUSES = st.sampled_from([1, 1_800, 3_599, 3_600, 3_601])


class AnySequence(RuleBasedStateMachine):
    begin: "ClassVar[staticmethod[[], Life]]"

    def __init__(self) -> None:
        super().__init__()
        self.life: Life = self.begin()
        self.was_current: dict[int, int] = {}
        self.stored_of_hidden: dict[int, int] = {}

    # -- what is done

    @initialize(types=TYPES)
    def first(self, types: list[FieldType]) -> None:
        self.life.create(types)
        self.life.track(self.life.definitions()[0], True)

    @precondition(lambda self: len(self.life.ids) < 3)
    @rule(types=TYPES)
    def create(self, types: list[FieldType]) -> None:
        self.life.create(types)

    @rule(index=INDEX, types=TYPES, required=st.booleans(), name=st.sampled_from(["", "Other"]))
    def edit(self, index: int, types: list[FieldType], required: bool, name: str) -> None:
        definition = self._any(index)
        changes: dict[str, Any] = {
            "fields": [
                {"key": "source", "type": "text", "required": True, "label": f"{index}"},
                *(
                    {"key": key, "type": type_, "required": required}
                    for key, type_ in zip(KEYS, types, strict=False)
                ),
            ]
        }
        if name:
            changes = {"name": f"{name} {definition.id}"}
        done = self.life.edit(definition, changes)
        if locked(definition.locked_until, self.life.now) or definition.hidden_at:
            assert not done
        fresh = self._any(index)
        assert len(fresh.versions) - len(definition.versions) == (done and not name)

    @rule(index=INDEX)
    def two_edits_at_once(self, index: int) -> None:
        definition = self._any(index)
        texts = (f"one {self.life.now}", f"two {self.life.now}")
        done = [self.life.edit(definition, {"description": text}) for text in texts]
        assert sum(done) <= 1

    @rule(index=INDEX, on=st.booleans())
    def track(self, index: int, on: bool) -> None:
        self.life.track(self._any(index), on)

    @rule(index=INDEX)
    def hide(self, index: int) -> None:
        definition = self._any(index)
        self.life.hide(definition)
        self.stored_of_hidden.setdefault(definition.id, self._stored(definition.id))

    @precondition(lambda self: self.life.snippets())
    @rule(index=INDEX, newest=st.booleans(), visitor=VISITORS, fits=st.booleans())
    def send(self, index: int, newest: bool, visitor: str | None, fits: bool) -> None:
        keys = self.life.snippets()
        key, version_id = keys[-1 if newest else index % len(keys)]
        data = self.life.fitting(version_id) if fits else {"a": [], "b": "?", "z": 1}
        self.life.send(key, visitor, data)

    @rule(index=INDEX)
    def send_again(self, index: int) -> None:
        self.life.send_again(index)

    @rule(seconds=PAUSES)
    def pass_time(self, seconds: int) -> None:
        self.life.pass_time(seconds)

    @rule()
    def work(self) -> None:
        self.life.work()
        due = "SELECT count(*) FROM held WHERE section_id = %s AND due_at <= %s"
        assert self._count(due, self.life.section.id, self.life.now) == 0

    # Chance alone seldom finds these two orders.

    @rule(index=INDEX, seconds=PAUSES)
    def send_to_a_version_that_comes(self, index: int, seconds: int) -> None:
        self.edit(index, [FieldType.TEXT], required=False, name="")
        self.send(0, newest=True, visitor="ann", fits=True)
        self.pass_time(seconds)
        self.work()

    @rule(index=INDEX)
    def hide_what_is_queued(self, index: int) -> None:
        self.send(index, newest=False, visitor="ben", fits=True)
        self.hide(index)
        self.work()

    @rule()
    def replay(self) -> None:
        self.life.replay()

    # -- what holds

    @invariant()
    def each_definition_has_one_current_version_and_it_never_goes_back(self) -> None:
        now = self.life.now
        for definition in self.life.definitions():
            current = current_version(definition.versions, now)
            assert current is not None
            in_use = [
                v for v in definition.versions if not deprecated_at(v, definition.versions, now)
            ]
            assert [v for v in in_use if v.usable_from <= now] == [current]
            assert current.number >= self.was_current.get(definition.id, 0)
            self.was_current[definition.id] = current.number

    @invariant()
    def a_tracked_definition_has_a_snippet_for_what_is_or_will_be_current(self) -> None:
        for definition in self.life.definitions():
            current = current_version(definition.versions, self.life.now)
            assert current is not None
            if definition.web_tracking and not definition.hidden_at:
                needed = {v.id for v in definition.versions if v.number >= current.number}
                assert needed <= {version_id for _, version_id in self.life.snippets()}

    @invariant()
    def hidden_stays_hidden_and_gets_no_more_events(self) -> None:
        for definition in self.life.definitions():
            assert (definition.hidden_at is not None) == (definition.id in self.life.hidden)
            if definition.hidden_at:
                assert self._stored(definition.id) == self.stored_of_hidden[definition.id]

    @invariant()
    def every_event_fits_its_version_which_was_usable(self) -> None:
        validators = {
            v.id: (Validator(v.fields), v) for d in self.life.definitions() for v in d.versions
        }
        rows = self.life.stores.rows(
            "SELECT version_id, data::text FROM event WHERE section_id = %s", self.life.section.id
        )
        for version_id, data in rows:
            validator, version = validators[version_id]
            assert isinstance(validator.validate(data.encode(), "-"), bytes)
            assert version.usable_from <= self.life.now

    @invariant()
    def the_books_balance(self) -> None:
        assert self.life.stores.audit().problems == []

    @invariant()
    def a_hit_is_in_one_place_at_most(self) -> None:
        once = (
            "SELECT count(*) FROM (SELECT id FROM event WHERE section_id = %(s)s"
            " UNION ALL SELECT hit_id FROM held WHERE section_id = %(s)s) AS places(id)"
            " GROUP BY id HAVING count(*) > 1"
        )
        assert not self.life.db.execute(once, {"s": self.life.section.id}).fetchall()

    def teardown(self) -> None:
        """In the end nothing waits: a day later, all that is left is where it stays."""
        self.life.pass_time(86_400)
        self.life.work()
        held = "SELECT count(*) FROM held WHERE section_id = %s"
        assert self._count(held, self.life.section.id) == 0
        self.the_books_balance()

    def _any(self, index: int) -> Any:
        found = self.life.definitions()
        return found[index % len(found)]

    def _stored(self, definition_id: int) -> int:
        query = (
            "SELECT count(*) FROM event e JOIN version v ON v.id = e.version_id"
            " WHERE v.definition_id = %s"
        )
        return self._count(query, definition_id)

    def _count(self, query: str, *values: object) -> int:
        return int(self.life.stores.rows(query, *values)[0][0])


def run(life: Callable[[], Life], examples: int, steps: int) -> None:
    machine = type("Machine", (AnySequence,), {"begin": staticmethod(life)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],  # shrinking takes hours: the steps that failed are printed
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "BLOCK_MS", 1)


def test_any_sequence(settings: Settings, db: psycopg.Connection, redis: Redis) -> None:
    with lives(settings, db, redis) as begin:
        run(begin, examples=12, steps=20)


@pytest.mark.slow
def test_many_longer_sequences(settings: Settings, db: psycopg.Connection, redis: Redis) -> None:
    with lives(settings, db, redis) as begin:
        run(begin, examples=100, steps=40)
