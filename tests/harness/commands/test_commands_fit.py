"""`tunematrix fit` from the user's side."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.predict.shapes import shape_files
from harness.store.database import open_for_writing
from tests.factory import make_database

ROOT = Path(__file__).resolve().parents[3]


def test_a_table_says_what_fits_and_what_it_rests_on(tunematrix) -> None:
    code, output, errors = tunematrix("fit", "--model", "llama-2-7b", "--vram", "24GB")

    assert code == 0, errors
    assert "llama-2-7b (6,738,415,616 parameters) in 24GB" in output
    assert "qlora" in output and "dpo on lora" in output
    assert "Predicted, not measured" in output
    assert "Assumed: 1GB for the device's context and the allocator (--overhead)" in output


@pytest.mark.parametrize("name", ["x[/red]", "a b[red]", "[bold]", "c:smile:"])
def test_a_folders_name_is_shown_as_it_is(tunematrix, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "config.json").write_text(shape_files()["small-llama"].read_text())

    code, output, errors = tunematrix("fit", "--model", name, "--vram", "24GB", "--length", "512")

    assert code == 0, errors
    assert f"{name} (" in output


@pytest.mark.parametrize(("length", "remarked"), [(2048, False), (8192, True)])
def test_longer_than_a_model_was_made_for_is_remarked(tunematrix, length: int, remarked: bool) -> None:
    code, output, _ = tunematrix("fit", "--model", "small-llama", "--vram", "24GB", "--length", length)

    assert code == 0
    assert ("made for 2048 positions (max_position_embeddings), not 8192." in output) == remarked


def test_the_largest_numbers_that_are_taken_make_json(tunematrix) -> None:
    code, output, errors = tunematrix(
        "fit", "--model", "llama-2-7b", "--card", "h100", "--tokens", "1000000T", "--price", "1000000", "--json"
    )

    assert code == 0, errors
    json.loads(output, parse_constant=pytest.fail)


def test_json_has_a_row_for_each_way_and_length_with_its_components(tunematrix) -> None:
    code, output, _ = tunematrix(
        "fit", "--model", "llama-3.2-1b", "--vram", "24GB", "--json", "--method", "lora", "--rank", 8, "--rank", 16,
        "--length", 1024, "--length", 2048, "--overhead", "2GB",
    )  # fmt: skip
    answer = json.loads(output)
    parts = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation", "temporary")

    assert code == 0
    assert (answer["parameters"], answer["overhead_bytes"]) == (1_235_814_400, 2 * 10**9)
    assert [(row["rank"], row["gradient_checkpointing"], row["sequence_length"]) for row in answer["fits"]] == [
        (rank, on, length) for rank in (8, 16) for on in (False, True) for length in (1024, 2048)
    ]
    for row in answer["fits"]:
        assert row["device_bytes"] == sum(row[f"{part}_bytes"] for part in parts) + 2 * 10**9
        assert row["device_bytes"] <= 24 * 10**9
    assert answer["fits"][0]["trainable_parameters"] * 2 == answer["fits"][4]["trainable_parameters"]


def test_more_memory_fits_no_smaller_batch(tunematrix) -> None:
    def batches(vram: str) -> list[int]:
        _, output, _ = tunematrix("fit", "--model", "llama-3.1-8b", "--vram", vram, "--json")
        return [row["largest_batch"] for row in json.loads(output)["fits"]]

    small, large = batches("24GB"), batches("80GB")

    assert all(a <= b for a, b in zip(small, large, strict=True))
    assert small != large


def test_a_card_stands_for_its_memory_and_tells_how_fast(tunematrix) -> None:
    code, output, errors = tunematrix(
        "fit", "--model", "llama-3.1-8b", "--card", "RTX 4090", "--tokens", "10M", "--price", "0.4"
    )

    assert code == 0, errors
    assert "on rtx-4090" in output
    assert all(heading in output for heading in ("tokens/s", "hours", "cost", "$"))
    assert "hours: for 10M tokens; cost: at $0.4 an hour" in output
    assert "no time was held against a GPU" in output.replace("\n", " ")
    assert max(map(len, output.partition("-: not even")[0].splitlines())) <= 120


def test_the_same_fits_into_a_cards_memory_as_into_so_much_memory(tunematrix) -> None:
    def batches(*words: str) -> list[int]:
        _, output, _ = tunematrix("fit", "--model", "llama-2-7b", "--json", *words)
        return [row["largest_batch"] for row in json.loads(output)["fits"]]

    assert batches("--card", "a100-80gb") == batches("--vram", "80GB")


def test_json_has_each_rows_speed_hours_and_cost(tunematrix) -> None:
    code, output, _ = tunematrix(
        "fit", "--model", "llama-3.2-1b", "--card", "h100", "--tokens", "1.5M", "--price", 2, "--json",
        "--method", "full_sft", "--method", "qlora", "--rank", 8,
    )  # fmt: skip
    answer = json.loads(output)

    assert code == 0
    assert (answer["card"], answer["tokens"], answer["price"]) == ("h100", 1_500_000, 2)
    assert any("H100" in line.upper() and "data sheet" in line for line in answer["assumptions"])
    for row in answer["fits"]:
        tokens = row["largest_batch"] * row["sequence_length"]
        parts = ("arithmetic", "memory_traffic", "optimizer", "launches")
        assert row["step_seconds"] == pytest.approx(sum(row[f"{part}_seconds"] for part in parts))
        assert row["tokens_per_second"] == pytest.approx(tokens / row["step_seconds"])
        assert row["hours"] == pytest.approx(1_500_000 / row["tokens_per_second"] / 3600)
        assert row["dollars"] == pytest.approx(2 * row["hours"])
        assert 0 < row["model_flops"] < row["hardware_flops"]
        assert "%" in row["reason"]


def test_what_does_not_fit_has_no_speed(tunematrix) -> None:
    _, output, _ = tunematrix("fit", "--model", "llama-3.1-70b", "--card", "rtx-3090", "--method", "lora", "--json")

    assert {row["tokens_per_second"] for row in json.loads(output)["fits"]} == {None}


def test_without_a_card_no_time_is_told(tunematrix) -> None:
    _, table, _ = tunematrix("fit", "--model", "llama-2-7b", "--vram", "24GB")
    _, as_json, _ = tunematrix("fit", "--model", "llama-2-7b", "--vram", "24GB", "--json")

    assert "tokens/s" not in table and "roofline" not in table
    assert not {"card", "tokens", "price"} & set(json.loads(as_json))
    assert not any("seconds" in key or "second" in key for key in json.loads(as_json)["fits"][0])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--model", "llama-2-7b"), "--vram SIZE or --card NAME: one of the two is needed, and neither is given"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--card", "h100"), "one of the two is needed, and both are given"),
        (
            ("--model", "llama-2-7b", "--card", "voodoo2"),
            "--card voodoo2: there is none such, and no results file (there are: rtx-3090, ",
        ),
        (
            ("--model", "llama-2-7b", "--card", "h100", "--overhead", "80GB"),
            "--overhead 80GB: leaves nothing of --card h100",
        ),
        (
            ("--model", "llama-2-7b", "--card", "h100", "--tokens", "10M", "--price", "-1"),
            "--price -1: expected dollars a GPU hour, from 0 to 1000000",
        ),
        (("--model", "llama-2-7b", "--card", "h100", "--tokens", "10M", "--price", "nan"), "--price nan: expected"),
        (("--model", "llama-2-7b", "--card", "h100", "--tokens", "1", "--price", "1e308"), "--price 1e+308: expected"),
        (("--model", "llama-2-7b", "--card", "h100", "--tokens", f"{10**30}T"), "expected at most 1e+18"),
        (("--model", "llama-2-7b", "--vram", "9" * 400 + "GB"), "expected at most 1e+18"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--length", "9" * 400), "expected at most 1000000000 tokens"),
        (("--model", "~nobody-here", "--vram", "24GB"), "~nobody-here: there is no home folder ~nobody-here"),
        (("--model", "endless.json", "--vram", "24GB"), "num_hidden_layers: expected at most 10000, got 1000000"),
        (("--model", "llama-2-7b", "--card", "h100", "--price", "2"), "--price 2: needs --tokens"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--tokens", "10M"), "--tokens 10M: needs --card"),
        (("--model", "llama-2-7b", "--card", "h100", "--tokens", "many"), "--tokens many: expected a number above"),
        (("--model", "llama-9", "--vram", "24GB"), "llama-9: no such shape, file or folder (shapes: llama-2-7b, "),
        (("--model", "no-causal.json", "--vram", "24GB"), "no-causal.json: bert is not a causal language model"),
        (
            ("--model", "odd-heads.json", "--vram", "24GB"),
            "num_attention_heads 6 is no multiple of num_key_value_heads 4",
        ),
        (
            ("--model", "odd-hidden.json", "--vram", "24GB"),
            "hidden_size 100 is no multiple of num_attention_heads 8",
        ),
        (("--model", "broken.json", "--vram", "24GB"), "broken.json: not JSON"),
        (("--model", "empty", "--vram", "24GB"), "empty: no config.json"),
        (("--model", "llama-2-7b", "--vram", "24"), "--vram 24: expected a size above zero with its unit"),
        (
            ("--model", "llama-2-7b", "--vram", "24GB", "--overhead", "24GB"),
            "--overhead 24GB: leaves nothing of --vram",
        ),
        (("--model", "llama-2-7b", "--vram", "24GB", "--method", "lore"), "--method lore: there is none such"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--optimizer", "sgd"), "--optimizer sgd: there is none such"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--target", "wq"), "target_modules: 'wq' is none of a layer's"),
        (("--model", "llama-2-7b", "--vram", "24GB", "--rank", "9999"), "rank 9999: self_attn.q_proj is 4096 x 4096"),
    ],
)
def test_wrong_input_is_one_line(tunematrix, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    llama = json.loads(shape_files()["small-llama"].read_text())
    (tmp_path / "no-causal.json").write_text('{"model_type": "bert"}')
    (tmp_path / "odd-heads.json").write_text(json.dumps(llama | {"num_attention_heads": 6}))
    odd = {"hidden_size": 100, "num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": None}
    (tmp_path / "odd-hidden.json").write_text(json.dumps(llama | odd))
    (tmp_path / "endless.json").write_text(json.dumps(llama | {"num_hidden_layers": 10**6}))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty").mkdir()

    code, output, errors = tunematrix("fit", *words)

    assert (code, output, len(errors)) == (2, "", 1), errors
    assert says in errors[0] and errors[0].startswith("tunematrix: ")


@pytest.mark.parametrize("limit", [["--vram", "80GB"], ["--card", "h200", "--tokens", "10M", "--price", "3"]])
def test_it_answers_at_once_since_it_needs_no_heavy_library(limit: list[str]) -> None:
    """How long it takes is `make bench`'s to say: here a busy machine would be to blame."""
    script = (
        f"import sys; sys.argv = ['tunematrix', 'fit', '--model', 'llama-3.1-70b', *{limit}]\n"
        "from harness.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "assert not {'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, timeout=60)


def measured(path: Path, attention: float | None = None, **facts: object) -> Path:
    """A results file in which every measure run knows its device's ceilings, twice as high in the last of them; that of
    attention only where it is given, as an older run does not."""
    make_database(path, bases=("pocket-1m",), seeds=(1,))
    db = open_for_writing(path)
    [(stack_id, stored)] = db.execute("SELECT stack_id, facts FROM stacks").fetchall()
    db["stacks"].update(stack_id, {"facts": json.dumps({**json.loads(stored), **facts})})
    runs = list(db.query("SELECT run_id FROM runs WHERE purpose = 'measure' ORDER BY started_at"))
    db["ceilings"].insert_all(
        {"run_id": run["run_id"], "bfloat16_flops": flops, "float32_flops": flops / 4, "bytes_per_second": 2e12,
         "launch_seconds": 5e-6, "bfloat16_attention_flops": attention}
        for run, flops in zip(runs, [4e14] * (len(runs) - 1) + [8e14], strict=True)
    )  # fmt: skip
    db.close()
    return path


def test_a_card_may_be_one_that_was_measured_and_as_large_as_it_is(tunematrix, tmp_path: Path) -> None:
    path = measured(tmp_path / "gpu.db", gpu="NVIDIA H200", gpu_memory_gib=141)

    code, output, errors = tunematrix("fit", "--model", "llama-2-7b", "--card", path, "--length", 512, "--json")

    assert code == 0, errors
    answer = json.loads(output)
    assert (answer["vram_bytes"], answer["card"]) == (141 * 2**30, "NVIDIA H200 141 GiB")
    assert any("runs in gpu.db measured it" in line for line in answer["assumptions"])
    assert not any("no time was held against a GPU" in line for line in answer["assumptions"])
    full = next(row for row in answer["fits"] if row["method"] == "full_sft" and not row["gradient_checkpointing"])
    assert 4e14 / 3 < full["model_flops"] / full["step_seconds"] < 4e14  # by the median of what was reached


def test_attention_is_assumed_where_no_run_measured_it(tunematrix, tmp_path: Path) -> None:
    answers = []
    for attention in (None, 1e13):
        card = measured(tmp_path / f"{attention}.db", attention, gpu="NVIDIA H200", gpu_memory_gib=141)
        answers.append(json.loads(tunematrix("fit", "--model", "llama-2-7b", "--card", card, "--json")[1]))
    assumed, told = ([line for line in answer["assumptions"] if "attention" in line] for answer in answers)
    slower = [answer["fits"][0]["step_seconds"] for answer in answers]

    assert any("attention 70% of products' speed, assumed" in line for line in assumed)
    assert any("attention as fast as it was measured" in line for line in told)
    assert slower[0] < slower[1]


def test_a_cpu_that_was_measured_is_predicted_by_its_own_kernels(tunematrix, tmp_path: Path) -> None:
    words = ("fit", "--model", "small-llama", "--vram", "2GB", "--length", 512, "--method", "lora", "--json")
    seconds = []
    for device in ("cpu", "cuda"):
        card = measured(tmp_path / f"{device}.db", device=device)
        seconds.append(json.loads(tunematrix(*words, "--card", card)[1])["fits"][0]["step_seconds"])

    assert seconds[0] > seconds[1]  # the loss operator by operator, and kernels that nobody issues meanwhile


def test_less_of_its_memory_may_be_asked_about(tunematrix, tmp_path: Path) -> None:
    path = measured(tmp_path / "gpu.db", gpu="NVIDIA H200", gpu_memory_gib=141)

    code, output, errors = tunematrix("fit", "--model", "llama-2-7b", "--card", path, "--vram", "24GB")

    assert code == 0, errors
    assert "on NVIDIA H200 141 GiB in 24GB" in " ".join(output.split())


def test_a_cpu_has_no_memory_of_its_own_and_a_file_may_know_no_device(tunematrix, tmp_path: Path) -> None:
    on_cpu = measured(tmp_path / "cpu.db")
    plain = make_database(tmp_path / "plain.db", bases=("pocket-1m",), seeds=(1,))

    for path, said in ((on_cpu, "has no memory of its own; say how much with --vram"),
                       (plain, "no run in it measured its device")):  # fmt: skip
        code, _, errors = tunematrix("fit", "--model", "llama-2-7b", "--card", path)
        assert code == 2 and len(errors) == 1 and said in errors[0]
