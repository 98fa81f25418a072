"""`tunematrix board --export`: a page for each source, in a folder that holds nothing else."""

import re
from datetime import UTC, datetime

import pytest

from harness.errors import UserError
from leaderboard.export import export_page
from leaderboard.export.contents import PAGES
from tests.factory import ARMS, CPU, GPU, Truth, make_database

FEW = {name: ARMS[name] for name in ("base", "full_sft", "lora")}
HOSTILE = "<script>alert('arm')</script>"

pytestmark = pytest.mark.usefixtures("without_vega")


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    path = tmp_path_factory.mktemp("db") / "mine.db"
    return make_database(path, arms={**FEW, HOSTILE: ARMS["qlora"]}, bases=["pocket-1m"])


def exported(folder, *sources, with_text=False):
    files = export_page(sources, folder, with_text=with_text)
    return {path.name: path.read_text() for path in files}


@pytest.fixture(scope="module")
def page(db, without_vega, tmp_path_factory):
    """The page of ``db`` alone."""
    (html,) = exported(tmp_path_factory.mktemp("page") / "page", db).values()
    return html


def test_one_source_is_one_page_with_its_arms_and_pictures(db, tmp_path, parsed):
    (html,) = exported(tmp_path / "page", db).values()
    found = parsed(html)
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["index.html"]
    assert "full_sft" in found.text and "lora r=8" in found.text
    assert len([attrs for attrs in found.tags("div") if "data-picture" in attrs]) >= 5


def test_it_has_every_page_that_a_picture_tells_of(page, parsed):
    titles = [title for title, _ in PAGES]
    assert [title for title in titles if f"<bdi>{title}</bdi>" not in page] == []
    assert {"Memory", "Learning rates", "Forgetting", "Loss", "Failures"} <= set(titles)
    assert {"Which one?", "Compare", "History"} <= set(titles)


def test_it_recommends_an_arm_without_limits_and_says_where_limits_are_set(page, parsed):
    said = parsed(page).text
    assert re.search(r"Without limits, take \S.* · pocket-1m\. .*It forgets", said)
    assert "Limits on memory, forgetting, gain, time and price can't be set on a page without a server" in said


def test_every_two_arms_of_a_base_are_compared_as_the_letters_are(page, parsed):
    said = parsed(page).text
    assert "Find in pairs" in said and "The best arm against each other one" in said
    assert page.count("<td>A better</td>") >= 3  # than the base, which learned nothing


@pytest.mark.extended
def test_a_history_takes_several_results(db, tmp_path, parsed):
    assert "no history of them yet" in parsed(exported(tmp_path / "one", db)["index.html"]).text
    later = {"facts": {**CPU, "torch": "2.14.0"}, "started": datetime(2026, 3, 1, tzinfo=UTC), "seed": 1}
    other = make_database(tmp_path / "later.db", arms=FEW, bases=["pocket-1m"], **later)
    pages = exported(tmp_path / "page", db, other)
    assert "Find in history of gain" in parsed(pages["later.html"]).text
    assert "torch 2.13.0 -> 2.14.0" in parsed(pages["later.html"]).text
    assert "Told under the newest results of this suite" in parsed(pages["mine.html"]).text


def test_prompts_and_answers_are_there_only_where_asked_for(db, page, tmp_path):
    (with_them,) = exported(tmp_path / "page", db, with_text=True).values()
    assert "answers of" not in page and "yes ." not in page
    assert "<td>yes .</td>" in with_them and "Find in answers of lora r=8" in with_them


def test_prompts_that_can_no_longer_be_had_are_said_to_be_missing(db, tmp_path, parsed):
    (html,) = exported(tmp_path / "page", db, with_text=True).values()
    assert parsed(html).text.count("No prompts: ") == 1


def test_several_sources_are_a_page_each_and_one_that_leads_to_them(db, tmp_path, parsed):
    other = make_database(tmp_path / "mine.db", arms=FEW, bases=["pocket-1m"], facts=GPU)
    pages = exported(tmp_path / "page", db, other)
    assert list(pages) == ["index.html", "mine.html", "mine-2.html"]
    assert [attrs["href"] for attrs in parsed(pages["index.html"]).tags("a")] == ["mine.html", "mine-2.html"]
    assert "Test GPU 80 GiB" in parsed(pages["mine-2.html"]).text


def test_a_hostile_name_is_text(page, parsed):
    assert HOSTILE in parsed(page).text and HOSTILE not in page


def test_the_same_results_give_the_same_page(db, page, tmp_path):
    assert exported(tmp_path / "other", db) == {"index.html": page}


@pytest.mark.extended
def test_an_earlier_export_is_replaced(tmp_path):
    few = make_database(tmp_path / "few.db", arms=FEW, bases=["pocket-1m"])
    exported(tmp_path / "page", few, few)
    exported(tmp_path / "page", few)
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["index.html"]


def test_results_without_a_trained_arm_are_said_to_have_none(tmp_path, parsed):
    path = make_database(tmp_path / "b.db", arms={"base": ARMS["base"]})
    (html,) = exported(tmp_path / "page", path).values()
    assert "No trained arm has two figures" in parsed(html).text


def test_runs_that_all_failed_are_a_page_too(tmp_path, parsed):
    doomed = Truth("lora", 0.9, rank=8, fails={1e-3: "oom", 3e-3: "oom", 1e-2: "nan"})
    path = make_database(tmp_path / "f.db", arms={"base": ARMS["base"], "lora": doomed})
    (html,) = exported(tmp_path / "page", path).values()
    assert "oom" in parsed(html).text


def refused(folder, *sources):
    with pytest.raises(UserError) as caught:
        export_page(sources, folder, with_text=False)
    return str(caught.value)


def test_a_folder_that_holds_other_files_is_left_as_it_is(db, tmp_path):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("<html>mine</html>")
    assert "holds index.html, which is no export's" in refused(tmp_path / "page", db)
    assert (tmp_path / "page" / "index.html").read_text() == "<html>mine</html>"


def test_a_link_in_the_folder_is_not_followed(db, tmp_path):
    exported(tmp_path / "page", db)
    (tmp_path / "page" / "more.html").symlink_to(tmp_path / "page" / "index.html")
    assert "holds more.html" in refused(tmp_path / "page", db)


def test_a_file_is_no_folder(db, tmp_path):
    (tmp_path / "page").write_text("mine")
    assert "is a file; name a folder" in refused(tmp_path / "page", db)


def test_a_source_that_cant_be_read_is_told_and_nothing_is_written(db, tmp_path):
    assert "no such results file" in refused(tmp_path / "page", db, tmp_path / "absent.db")
    assert not (tmp_path / "page").exists()


def test_without_any_results_it_says_what_to_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no results at hand; name a results file" in refused(tmp_path / "page")


def test_the_command_names_what_it_wrote(tunematrix, db):
    assert tunematrix("board", db, "--export", "page") == (0, "page/index.html\n", [])


def test_the_command_tells_a_mistake_in_one_line(tunematrix, db, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    code, _, errors = tunematrix("board", db, "--export", str(tmp_path))
    assert (code, len(errors)) == (2, 1)
    assert "holds notes.txt" in errors[0]
