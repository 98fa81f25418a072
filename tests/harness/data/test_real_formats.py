"""Public data in their own formats, and a pretrained model's tokenizer: read, split, tokenised and inspected."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.data.digest import examples_digest
from harness.data.formats import accept, read_examples
from harness.data.inspect import inspect
from harness.data.split import split
from harness.data.tokenise import encode_preference, encode_sft, lengths
from harness.data.words import opening
from harness.errors import UserError

pytestmark = pytest.mark.real

READ = [
    ("llamafactory_demo/alpaca_en_demo.json", "sft", "alpaca", 999, 0),
    ("llamafactory_demo/identity.json", "sft", "alpaca", 91, 0),
    ("llamafactory_demo/dpo_en_demo.json", "preference", "sharegpt preference", 300, 0),
    ("llms_from_scratch/instruction-data.json", "sft", "alpaca", 1100, 0),
    ("llms_from_scratch/instruction-data-with-preference.json", "preference", "alpaca preference", 1094, 6),
    ("commonsense_train/ARC-Easy_train.json", "sft", "alpaca", 2251, 0),
    ("self_instruct/user_oriented_instructions.jsonl", "sft", "self-instruct", 252, 0),
    ("gsm8k/train.jsonl", "sft", "prompt/completion", 7473, 0),
]

REFUSED = [
    ("llamafactory_demo/kto_en_demo.json", "KTO"),
    ("llamafactory_demo/c4_demo.jsonl", "plain text"),
    ("llamafactory_demo/wiki_demo.txt", "unknown kind"),
    ("pandalm/testset-v1.json", "not recognised"),
    ("humaneval/HumanEval.jsonl.gz", "not recognised"),
    ("tinystories/tiny-stories.json", "must hold a list"),
    ("truthfulqa/TruthfulQA.csv", "not recognised"),
]


@pytest.fixture(scope="module")
def stories(shared):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(shared / "models/stories260k")


@pytest.mark.parametrize(("path", "kind", "form", "good", "bad"), READ)
def test_a_file_is_recognised_and_every_record_accounted_for(shared, path, kind, form, good, bad):
    read = read_examples(shared / "data" / path)
    assert (read.kind, read.format, len(read.examples), len(read.problems)) == (kind, form, good, bad)


@pytest.mark.parametrize(("path", "told"), REFUSED)
def test_a_file_of_another_sort_is_refused_in_one_line(shared, path, told):
    with pytest.raises(UserError, match=told) as error:
        read_examples(shared / "data" / path)
    assert "\n" not in str(error.value)


def test_six_pairs_of_the_preference_file_are_equal_and_need_a_rule(shared):
    read = read_examples(shared / "data/llms_from_scratch/instruction-data-with-preference.json")
    with pytest.raises(UserError, match=r"6 of 1100 .*6 with chosen equal to rejected; first: record 123"):
        accept(read)
    assert len(accept(read, on_bad="drop").examples) == 1094


def test_the_preference_file_read_as_sft_is_its_sibling(shared):
    folder = shared / "data/llms_from_scratch"
    both = read_examples(folder / "instruction-data-with-preference.json", kind="sft")
    assert examples_digest(both.examples) == examples_digest(read_examples(folder / "instruction-data.json").examples)


def test_sft_and_preference_data_split_together_share_no_prompt_across_splits(shared):
    path = shared / "data/llms_from_scratch/instruction-data-with-preference.json"
    both = read_examples(path, "sft").examples + read_examples(path, "preference").examples
    parts = split(both, seed=0)
    openings = {name: {opening(example) for example in part} for name, part in parts.items()}
    assert not openings["train"] & openings["test"]
    assert not openings["train"] & openings["validation"]
    assert any("messages" in example for example in parts["test"])
    assert any("chosen" in example for example in parts["test"])


def test_a_pretrained_tokenizer_learns_the_answer_and_its_end(shared, stories):
    for example in read_examples(shared / "data/llms_from_scratch/instruction-data.json").examples[:200]:
        encoded = encode_sft(example, stories)
        pairs = zip(encoded["input_ids"], encoded["completion_mask"], strict=True)
        answer = example["messages"][-1]["content"].strip()
        assert stories.decode([token for token, bit in pairs if bit]).strip() == f"{answer}</s>"


def test_long_conversations_become_pairs_of_tokens(shared, stories):
    examples = read_examples(shared / "data/llamafactory_demo/dpo_en_demo.json").examples[:50]
    encoded = [encode_preference(example, stories) for example in examples]
    for example, pair in zip(examples, encoded, strict=True):
        for answer in ("chosen", "rejected"):
            assert pair[f"{answer}_ids"][-1] == stories.eos_token_id
            text = stories.decode(pair[f"{answer}_ids"][:-1]).strip()
            assert text == example[answer][0]["content"].strip()
    assert min(lengths(encoded)) > 50


def test_gsm8k_gives_away_few_of_its_test_questions_and_itself_all(shared):
    train = read_examples(shared / "data/gsm8k/train.jsonl").examples[:5000]
    test = [example["prompt"] for example in read_examples(shared / "data/gsm8k/test.jsonl").examples]
    own = [example["prompt"] for example in train[:200]]
    report = inspect([1] * 5000, train, test, 512)
    assert report.contaminated.count < 20
    assert inspect([1] * 5000, train, own, 512).contaminated.count == 200


def test_reading_splitting_and_inspecting_load_no_heavy_library(shared):
    script = (
        "import sys; from pathlib import Path\n"
        "import harness.data.tokenise, harness.data.order, harness.data.digest\n"
        "from harness.data import formats, inspect, split\n"
        f"examples = formats.read_examples(Path({str(shared / 'data/llamafactory_demo/identity.json')!r})).examples\n"
        "split.split(examples, 0); inspect.inspect([1] * len(examples), examples, [], 8)\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'pyarrow', 'numpy', 'jinja2'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
