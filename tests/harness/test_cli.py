"""The command line from the user's side: each mistake is one clear line, exit code 2, and nothing is changed."""

import json
import re
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import typer
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import UserError
from harness.session import Session
from harness.store.database import open_for_writing
from harness.yamlfile import read_yaml
from tests.small_suite import small_suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def suite(tmp_path) -> Path:
    return small_suite(tmp_path / "suite")


def edited(suite: Path, old: str, new: str) -> str:
    text = suite.read_text()
    assert old in text
    suite.write_text(text.replace(old, new))
    return str(suite)


class TestWrongInput:
    def mistake(self, tunematrix, *words: str) -> str:
        code, output, errors = tunematrix(*words)
        assert code == 2, (output, errors)
        assert len(errors) == 1, errors
        assert "Traceback" not in errors[0]
        assert errors[0].startswith("tunematrix: ")
        assert not Path("tunematrix.db").exists()
        return errors[0]

    def test_a_matrix_and_a_base_of_ones_own(self, tunematrix, suite):
        said = self.mistake(tunematrix, "plan", str(suite), "--base", "pocket-0.2m")
        assert "either a matrix, or --base and --data without one" in said

    @pytest.mark.parametrize(
        "words", [("--base", "~nobody-here/x"), ("--base", "pocket-0.2m", "--data", "~nobody-here/x")]
    )
    def test_a_home_folder_of_nobody(self, tunematrix, words):
        said = self.mistake(tunematrix, "run", *words, "--data", "~nobody-here/x")
        assert said == "tunematrix: ~nobody-here/x: there is no home folder ~nobody-here"

    def test_a_folder_that_cannot_be_written_to(self, tunematrix, suite, monkeypatch):
        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", "/somewhere")

        monkeypatch.setattr("harness.commands.opening.open_session", refuse)
        assert self.mistake(tunematrix, "plan", str(suite)) == "tunematrix: /somewhere: Permission denied"

    @pytest.mark.parametrize("verb", ["plan", "run"])
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("suite: small", "siute: small", "suite/matrix.yaml:1: siute: unknown key; did you mean 'suite'?"),
            ("full_sft: {", "fulsft: {method: fulsft, ", "unknown method 'fulsft'; did you mean 'full_sft'?"),
            ("embedded: pocket-0.2m", "embedded: pocket-9m", "pocket-9m"),
            ("sequence_length: 64", "kernels: {attention: magic}", "'magic': input should be 'eager'"),
            ("task: pocket_facts,", "task: pocket_fats,", "unknown task 'pocket_fats'"),
            ("[1e-4, 3e-4, 1e-3]", "[0]", "0: input should be greater than 0"),
            ("[1e-4, 3e-4, 1e-3]", "[-1e-4]", "-0.0001: input should be greater than 0"),
            ("data/target_train.jsonl", "data/absent.jsonl", "absent.jsonl"),
            ("sequence_length: 64", "sequence_length: 8", "are longer than sequence_length 8"),
            ("{task: pocket_target_validation, role", "{task: pocket_target_validation, rule", "rule"),
            ("methods:", "methods: [", "not YAML"),
        ],
    )
    def test_in_a_matrix_file(self, tunematrix, suite, verb, old, new, says):
        if "fulsft" in new:
            edited(suite, "  dpo: {starts_from: full_sft, learning_rate: 1e-4}\n", "")
        if "rule" in new:
            edited(suite, "selection: {sft: pocket_target_validation}\n", "")
            edited(suite, "[1e-4, 3e-4, 1e-3]", "1e-4")
            code, _, errors = tunematrix(verb, edited(suite, old, new))
            assert code == 2 and any("rule: unknown key" in line for line in errors)
            return
        assert says in self.mistake(tunematrix, verb, edited(suite, old, new))

    def test_a_rank_of_zero(self, tunematrix, suite):
        edited(suite, "full_sft: {", "lora: {rank: 0, ")
        assert "0: input should be greater than 0" in self.mistake(
            tunematrix, "plan", edited(suite, "  dpo: {starts_from: full_sft, learning_rate: 1e-4}\n", "")
        )

    def test_a_rank_larger_than_a_layer(self, tunematrix, suite):
        edited(suite, "full_sft: {", "lora: {rank: 100, ")
        line = self.mistake(tunematrix, "plan", edited(suite, "starts_from: full_sft", "starts_from: lora"))
        assert "methods.lora.rank: 100 is larger than a layer of pocket-0.2m (64 wide)" in line

    def test_tasks_metrics_and_ranks_are_told_together(self, tunematrix, suite):
        edited(suite, "full_sft: {", "lora: {rank: [100, 8, 200], ")
        edited(suite, "  dpo: {starts_from: full_sft, learning_rate: 1e-4}\n", "")
        edited(suite, "split: validation}", "split: validation, metric: magic}")
        code, _, errors = tunematrix("plan", edited(suite, "task: pocket_facts,", "task: pocket_fats,"))
        assert code == 2
        for said in ("unknown metric 'magic'", "unknown task 'pocket_fats'", "rank: 100 is", "rank: 200 is"):
            assert sum(said in line for line in errors) == 1
        assert len(errors) == 4

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("empty.jsonl", "", "empty"),
            ("broken.jsonl", '{"prompt": "a", ', "broken.jsonl"),
            ("no_answer.jsonl", '{"prompt": "a", "completion": ""}\n', "without an answer"),
            ("unknown.jsonl", '{"colour": "red"}\n', "format not recognised"),
            ("same.jsonl", '{"prompt": "a", "chosen": " b", "rejected": " b"}\n', "chosen"),
        ],
    )
    def test_in_a_data_file(self, tunematrix, suite, name, content, says):
        (suite.parent / name).write_text(content)
        kind = "preference" if "chosen" in content else "target"
        matrix = edited(suite, f"data/{kind}_train.jsonl", name)
        assert says in self.mistake(tunematrix, "plan", matrix)

    def test_a_gpu_asked_for_where_there_is_none(self, tunematrix, suite):
        from harness.stack import gpu_count

        if gpu_count():
            pytest.skip("this machine has a GPU")
        assert "--device cuda: this machine has no CUDA device" in self.mistake(
            tunematrix, "run", str(suite), "--device", "cuda"
        )

    @pytest.mark.parametrize("device", ["auto", "cuda"])
    def test_a_gpu_that_will_not_do(self, tunematrix, suite, monkeypatch, device):
        def refuse(*, measuring: bool) -> None:
            if measuring:
                raise UserError("GPU 0 is in use by process 7 (trainer)")

        monkeypatch.setattr("harness.stack.gpu_count", lambda: 1)
        monkeypatch.setattr("harness.stack._gpu", dict)
        monkeypatch.setattr("harness.commands.opening.refuse_unfit", refuse)
        assert "in use by process 7" in self.mistake(tunematrix, "run", str(suite), "--device", device)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("plan", "--nope"), "No such option: --nope (see tunematrix plan --help)"),
            (("fit", "--model"), "Option '--model' requires an argument. (see tunematrix fit --help)"),
            (("run", "--jobs", "many"), "Invalid value for '--jobs'"),
            (("verify",), "Missing argument 'DIR'. (see tunematrix verify --help)"),
            (("pla",), "No such command 'pla'"),
        ],
    )
    def test_in_the_words_of_a_command(self, tunematrix, words, says):
        assert self.mistake(tunematrix, *words).startswith(f"tunematrix: {says}")

    def test_a_selection_of_nothing(self, tunematrix, suite):
        line = self.mistake(tunematrix, "plan", str(suite), "--only", "method=qlora")
        assert "a matrix of zero cells: nothing matches" in line

    def test_a_matrix_that_does_not_exist(self, tunematrix):
        assert "(known: cost, pocket, stories)" in self.mistake(tunematrix, "plan", "absent")

    def test_several_rates_and_nothing_to_choose_by(self, tunematrix, suite):
        line = self.mistake(tunematrix, "plan", edited(suite, "selection: {sft: pocket_target_validation}\n", ""))
        assert "3 learning rates to choose from, but no validation task" in line

    @pytest.mark.parametrize("folder", ["pickled"])
    def test_a_base_with_pickled_weights_only(self, tunematrix, suite, tmp_path, folder):
        base = tmp_path / folder
        base.mkdir()
        (base / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
        (base / "pytorch_model.bin").write_bytes(b"pickle")
        line = self.mistake(tunematrix, "plan", edited(suite, "{embedded: pocket-0.2m}", f"{{path: {base}}}"))
        assert "safetensors" in line

    def test_every_mistake_of_a_file_is_reported_at_once(self, tunematrix, suite):
        edited(suite, "suite: small", "siute: small")
        code, _, errors = tunematrix("plan", edited(suite, "sequence_length: 64", "sequence_length: one"))
        assert code == 2
        assert [line.split(": ")[1].rsplit(":", 1)[1] for line in errors] == ["1", "6"]


class TestDatabases:
    def refused(self, tunematrix, suite, path: Path) -> str:
        before = path.read_bytes()
        code, _, errors = tunematrix("run", str(suite), "--db", str(path))
        assert (code, len(errors)) == (2, 1)
        assert path.read_bytes() == before
        return errors[0]

    def test_of_a_newer_version(self, tunematrix, suite, tmp_path):
        db = open_for_writing(tmp_path / "new.db")
        db["_sqlite_migrations"].insert({"migration_set": "tunematrix", "name": "m999", "applied_at": "2099"})
        db.conn.close()
        assert "newer tunematrix" in self.refused(tunematrix, suite, tmp_path / "new.db")

    def test_that_are_none(self, tunematrix, suite, tmp_path):
        (tmp_path / "x.db").write_text("words " * 1000)
        assert "is no SQLite database" in self.refused(tunematrix, suite, tmp_path / "x.db")

    def test_of_another_program(self, tunematrix, suite, tmp_path):
        other = sqlite3.connect(tmp_path / "x.db")
        other.execute("CREATE TABLE holidays (day TEXT)")
        other.commit()
        other.close()
        assert "another program's database" in self.refused(tunematrix, suite, tmp_path / "x.db")

    def test_that_do_not_exist_for_a_report(self, tunematrix):
        code, _, errors = tunematrix("report")
        assert code == 2
        assert errors == ["tunematrix: tunematrix.db: no such results file; `tunematrix run` makes one"]


class TestPlan:
    def test_json_is_an_object_whose_cells_lists_them(self, tunematrix, suite):
        code, output, _ = tunematrix("plan", str(suite), "--json")
        plan = json.loads(output)
        assert code == 0
        assert [cell["state"] for cell in plan["cells"]].count("left") == 4
        assert plan["estimated_seconds"] > 0

    def test_a_time_that_nobody_knows_is_said_to_be_unknown(self, tunematrix, suite, monkeypatch):
        monkeypatch.setattr(Session, "estimate", lambda self, plan, known, factor=None: None)
        assert "time unknown until a run of each kind has ended, with" in " ".join(
            tunematrix("plan", str(suite))[1].split()
        )
        plan = json.loads(tunematrix("plan", str(suite), "--json")[1])
        assert (plan["estimated_seconds"], plan["reference_seconds"]) == (None, None)

    def test_it_touches_no_database(self, tunematrix, suite):
        assert tunematrix("plan", str(suite))[0] == 0
        assert not Path("tunematrix.db").exists()

    def test_an_installed_suite_is_found_by_its_name(self, tunematrix):
        assert "pocket-1m" in tunematrix("plan", "pocket")[1]

    def test_selecting_a_preference_method_brings_what_it_needs(self, tunematrix, suite):
        cells = json.loads(tunematrix("plan", str(suite), "--json", "--only", "method=dpo")[1])["cells"]
        assert {cell["label"] for cell in cells} == {"base", "full_sft", "dpo"}


def test_the_schema_accepts_the_suites_and_refuses_an_unknown_key(tunematrix):
    schema = json.loads(tunematrix("schema")[1])
    checker = jsonschema.Draft202012Validator(schema)
    for matrix in (ROOT / "suites").glob("*/matrix.yaml"):
        assert not list(checker.iter_errors(read_yaml(matrix).value)), matrix
    assert list(checker.iter_errors({"bases": {"a": {"path": "x"}}, "methods": {"base": {}}, "sedes": 3}))


@pytest.mark.parametrize("name", typer.main.get_command(app).commands)
def test_help_says_all_of_what_it_is_given(name):
    command = typer.main.get_command(app).commands[name]
    texts = [command.help, command.epilog, *(getattr(param, "help", None) for param in command.params)]

    done = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "120"})

    assert done.exit_code == 0, done.exception
    shown = re.sub(r"[\s│]", "", done.output)
    for bracketed in re.findall(r"\[.+?\]", " ".join(filter(None, texts))):
        assert re.sub(r"\s", "", bracketed) in shown


def test_help_imports_nothing_heavy():
    code = "import sys, harness.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    heavy = {"torch", "transformers", "pandas", "numpy", "pydantic", "sqlite_utils"}
    assert heavy & set(done.stdout.split()) == set()


def test_version(tunematrix):
    from tunematrix.version import __version__

    assert tunematrix("--version")[1].strip() == __version__


def test_the_board_is_told_of_texts_only_where_a_page_is_written(tunematrix):
    code, _, errors = tunematrix("board", "--with-text")
    assert (code, errors) == (
        2,
        ["tunematrix: --with-text: is for --export DIR; the board itself always shows what the results hold"],
    )


class TestWithoutStreamlit:
    @pytest.fixture(autouse=True)
    def streamlit_is_absent(self, monkeypatch):
        monkeypatch.setattr("harness.cli.board.find_spec", lambda name: None)

    @pytest.mark.parametrize("words", [("board",), ("board", "--export", "page")])
    def test_the_board_says_what_installs_it(self, tunematrix, words):
        code, _, errors = tunematrix(*words)
        assert (code, len(errors)) == (2, 1)
        assert "board: needs Streamlit, which the extra `board` installs" in errors[0]


def test_streamlit_is_the_boards_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not [one for one in project["dependencies"] if one.startswith("streamlit")]
    assert [one for one in project["optional-dependencies"]["board"] if one.startswith("streamlit")]
    files = [file for part in ("harness", "methods", "suites", "tunematrix") for file in (ROOT / part).rglob("*.py")]
    assert not [file for file in files if re.search(r"^\s*(import|from) streamlit", file.read_text(), re.M)]
