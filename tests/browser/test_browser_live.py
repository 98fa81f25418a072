"""A board beside a running matrix: what ends is shown without anybody asking, what runs is told of."""

import pytest

from harness.store.database import open_for_writing
from harness.store.writer import Writer
from tests.browser.conftest import served
from tests.factory import ARMS, make_database

FIRST = {name: ARMS[name] for name in ("base", "full_sft")}


@pytest.fixture
def db(tmp_path):
    return make_database(tmp_path / "live.db", arms=FIRST, bases=["pocket-1m"], seeds=(1, 2))


def test_a_new_arm_appears_by_itself(visitor, db, tmp_path):
    with served(db, folder=tmp_path) as address:
        one = visitor(address)
        one.go()
        assert one.column("arm") == ["full_sft", "base"]
        make_database(db, arms={"lora": ARMS["lora"]}, bases=["pocket-1m"], seeds=(1, 2), seed=1)
        one.until(lambda: "lora r=8" in one.column("arm"), seconds=30)


def test_a_run_under_way_is_told_of(visitor, db, tmp_path):
    from datetime import UTC, datetime

    opened = open_for_writing(db)
    cell, stack = next(iter(opened.execute("SELECT cell_id, stack_id FROM runs WHERE purpose = 'quality'")))
    run = {"run_id": "now", "cell_id": cell, "stack_id": stack, "purpose": "quality", "exclusive": 0}
    Writer(opened).start({**run, "started_at": datetime.now(UTC).isoformat(timespec="microseconds")})
    opened.conn.close()
    with served(db, folder=tmp_path) as address:
        page = visitor(address).go()
        page.get_by_text("1 running").wait_for(timeout=20_000)


@pytest.mark.extended
def test_the_page_that_somebody_reads_keeps_its_filters_when_it_refreshes(visitor, db, tmp_path):
    with served(db, folder=tmp_path) as address:
        one = visitor(address)
        page = one.go("?method=full_sft")
        assert one.column("arm") == ["full_sft"]
        make_database(db, arms={**FIRST, "lora": ARMS["lora"]}, bases=["pocket-0.2m"], seeds=(1, 2), seed=1)
        one.until(lambda: one.column("arm") == ["full_sft", "full_sft"], seconds=30)
        assert "method=full_sft" in page.url
