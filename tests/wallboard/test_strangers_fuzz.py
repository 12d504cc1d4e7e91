"""Whatever is asked, by whoever is signed in as everything: no answer is a fault of ours."""

from collections import Counter
from functools import partial

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as documented

from hackles.wallboard import passwords
from tests.wallboard.served import EVERYTHING, enrol, served, settings
from tests.wallboard.service import TABLES, service_roads

# The board runs in this process, too; what it draws by `random` is none of a strategy's doing.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

EXAMPLES = 40
CHECKS = (
    checks.not_a_server_error,
    documented.status_code_conformance,
    documented.content_type_conformance,
    documented.response_schema_conformance,
    documented.response_headers_conformance,
)


def test_no_request_breaks_the_board_and_all_answers_are_as_documented(tmp_path):
    with served(settings(tmp_path, "nobody"), service_roads, TABLES) as board:
        person = board.stranger()
        token = person.get("/api/me").json["csrf"]
        statuses = try_all(board, person, {"X-CSRF-Token": token})
    assert {200, 404, 422} <= set(statuses)
    assert statuses.total() > 8 * EXAMPLES / 2


def test_no_request_breaks_signing_in(tmp_path, monkeypatch):
    quick = partial(passwords.PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "PasswordHasher", quick)
    enrol(tmp_path, EVERYTHING)
    with served(settings(tmp_path)) as board:
        person = board.person()
        headers = {"X-CSRF-Token": person.csrf, "Cookie": person.cookie}
        statuses = try_all(board, person, headers, only=("/api/sign-in", "/api/password"))
    assert {401, 422} <= set(statuses)


def try_all(board, person, headers, only=()):
    """Ask for everything in the document in many ways, the same at each run; count how many."""
    schema = schemathesis.openapi.from_dict(person.get("/api/openapi.json").json)
    statuses = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        if only and operation.path not in only:
            continue
        if "text/event-stream" in str(operation.definition.raw["responses"]["200"]):
            continue  # has no end

        either = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

        @hypothesis.settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        @hypothesis.given(case=hypothesis.strategies.one_of(either))
        def ask(case):
            board.clock.ahead += 1.0
            answer = case.call(
                base_url=f"http://{board.listen}", headers=headers, timeout=20, session=session
            )
            statuses[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        with requests.Session() as session:
            ask()
    return statuses
