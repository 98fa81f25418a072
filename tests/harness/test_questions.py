"""The texts of items: as lm-eval reads them, from an installed suite or a user's own data, and from nowhere else."""

from pathlib import Path

import pytest

from harness import questions
from harness.errors import UserError
from harness.own.heldout import LOADER, write_folder
from harness.questions import Known, Question, of_own_data, of_suite, questions_of
from harness.tasks import Task, find_tasks

DOC = {"prompt": "two and two", "choices": ["three", "four"], "answer": 1}


def task(**config):
    return Task("t", Path("t.yaml"), "1", "digest", config)


def asked(doc=DOC, **config):
    """An item's question, of a task that is configured so."""
    return questions_of(task(**config), [doc])[0]


class TestAQuestion:
    def test_a_name_of_a_field_means_the_field(self):
        found = asked(doc_to_text="prompt", doc_to_choice="choices", doc_to_target="answer")
        assert found == Question("two and two", ("three", "four"), "four")

    def test_a_template_is_filled_from_the_item(self):
        assert asked(doc_to_text="Q: {{prompt}}?\nA:", doc_to_target="answer").prompt == "Q: two and two?\nA:"

    def test_a_number_of_a_template_picks_the_choice(self):
        assert asked(doc_to_choice=["no", "yes"], doc_to_target="{{answer}}").expected == "yes"

    def test_a_number_with_no_choices_is_a_text(self):
        assert asked({"answer": "007"}, doc_to_target="answer").expected == "007"

    def test_a_whole_text_that_is_to_be_likely_is_what_is_expected(self):
        found = asked({"text": "once upon a time"}, doc_to_text="", doc_to_target="{{text}}")
        assert (found.prompt, found.expected) == ("", "once upon a time")

    def test_where_a_rule_judges_it_is_told_what_the_rule_is_given(self):
        doc = {"prompt": "do harm", "phrase": "can not help"}
        assert asked(doc, doc_to_text="prompt", doc_to_target="").expected == "phrase: can not help"

    def test_what_a_function_says_is_not_said(self):
        with pytest.raises(UserError, match="by a function of its own"):
            asked(doc_to_text="!function rules.text")

    def test_a_template_reaches_nothing_but_the_item(self):
        with pytest.raises(Exception, match=r"unsafe|undefined|attribute"):
            asked(doc_to_text="{{ ''.__class__.__mro__[1].__subclasses__() }}")


@pytest.fixture(scope="module")
def pocket():
    return of_suite("pocket")


class TestAnInstalledSuite:
    def test_every_task_has_its_items_under_the_digest_that_results_carry(self, pocket):
        tasks = find_tasks(questions._installed() / "pocket" / "tasks")
        assert {name: known.item_digest for name, known in pocket.items()} == {
            name: one.item_digest for name, one in tasks.items()
        }
        assert all(known.questions and known.problem is None for known in pocket.values())

    def test_the_expected_answer_is_among_the_choices(self, pocket):
        target = pocket["pocket_target"].questions
        assert len(target) == 240
        assert all(one.expected in one.choices for one in target)

    @pytest.mark.parametrize("name", ["no-such-suite", "../pocket", "pocket/../pocket", ""])
    def test_what_is_no_installed_suite_is_not_looked_for(self, name, monkeypatch):
        monkeypatch.setattr(questions.subprocess, "run", lambda *_, **__: pytest.fail("ran something"))
        assert of_suite(name) == {}

    def test_a_loader_that_hangs_is_told_in_a_sentence(self, monkeypatch):
        monkeypatch.setattr(questions, "LOADER_SECONDS", 0.01)
        with pytest.raises(UserError, match="items of the suite pocket can't be read: TimeoutExpired"):
            of_suite("pocket")


class TestOwnData:
    TASK = "task: own_choices\ndataset_kwargs: {file: own.jsonl}\ntest_split: test\ndoc_to_text: prompt\n"
    TASK += "doc_to_choice: choices\ndoc_to_target: answer\n"
    ROWS = '{"prompt": "two and two", "choices": ["three", "four"], "answer": 1}\n'

    def written(self, results, **files):
        told = {"loader.py": LOADER, "own_choices.yaml": self.TASK, "own.jsonl": self.ROWS, **files}
        named = {f"tasks/{name.replace('__', '.')}": text for name, text in told.items()}
        return write_folder(named, results.parent / ".tunematrix" / "own")

    def test_its_rows_are_read_from_beside_the_results(self, tmp_path):
        self.written(tmp_path / "r.db")
        ((name, digest), known) = next(iter(of_own_data(tmp_path / "r.db").items()))
        assert (name, digest) == ("own_choices", known.item_digest)
        assert known == Known(digest, (Question("two and two", ("three", "four"), "four"),))

    def test_another_loader_is_never_run(self, tmp_path):
        folder = self.written(tmp_path / "r.db")
        (folder / "tasks" / "loader.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
        assert of_own_data(tmp_path / "r.db") == {}
        assert not (tmp_path / "ran").exists()

    def test_rows_lie_beside_their_task_whatever_it_says(self, tmp_path):
        (tmp_path / "secret.jsonl").write_text('{"prompt": "secret"}\n')
        self.written(
            tmp_path / "r.db", own_choices__yaml=self.TASK.replace("own.jsonl", str(tmp_path / "secret.jsonl"))
        )
        (known,) = of_own_data(tmp_path / "r.db").values()
        assert known.questions == ()
        assert "can't be read" in known.problem

    def test_where_there_are_none_there_are_none(self, tmp_path):
        assert of_own_data(tmp_path / "r.db") == {}
