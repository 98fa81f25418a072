"""What is carried to a machine without a network: what it lacks, pruned to what it uses."""

from scripts.carry import names_of, needed, pinned, prune, size_of


def test_what_is_there_is_not_carried_nor_what_only_that_needs():
    everything = needed(set())
    assert {"bitsandbytes", "trl", "lm-eval", "transformers"} <= set(everything)
    assert not {"torch", "altair", "pytest", "streamlit"} & set(everything)
    assert "trl" not in needed({"trl"})
    assert "tokenizers" not in needed({"transformers", "trl", "peft", "accelerate", "lm-eval", "datasets"})


def test_versions_are_the_locked_ones():
    assert pinned(["trl"])[0].startswith("trl==")
    assert pinned(["not-locked"]) == ["not-locked"]


def test_a_freeze_is_read_whatever_its_lines_look_like():
    assert names_of("Jinja2==3.1\ntorch @ file:///x.whl\n-e .\n# note\nlm_eval\n") == {"jinja2", "torch", "lm-eval"}


def test_one_cuda_version_of_bitsandbytes_is_kept_and_no_tests(tmp_path):
    for name in (
        "bitsandbytes/libbitsandbytes_cuda130.so",
        "bitsandbytes/libbitsandbytes_cpu.so",
        "x/tests/t.py",
        "x/a.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("four")
    prune(tmp_path, "130")
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == {"bitsandbytes/libbitsandbytes_cuda130.so", "x/a.py"}
    assert size_of(tmp_path) == 8
