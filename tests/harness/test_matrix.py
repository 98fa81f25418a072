"""The matrix file: what it spreads into, and every mistake in one line with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UserError
from harness.matrix import Matrix, build_matrix
from harness.settings import defaults_merged
from harness.yamlfile import parse_yaml

GOOD = """\
suite: demo
seeds: 2
bases:
  small: {path: a}
  large: {path: b}
budget: {steps: 20}
optimizer: {weight_decay: 0.1, warmup_steps: 5}
data:
  sft: [{file: train.jsonl}]
methods:
  base: {}
  full_sft: {learning_rate: [3e-4, 1e-4]}
  lora:
    rank: [2, 8]
    learning_rate: 1e-3
    optimizer: {warmup_steps: 3}
    per_base: {small: {rank: 4}}
  dpo:
    starts_from: {lora: {rank: 8}}
    learning_rate: 1e-4
"""


def matrix(text: str = GOOD, *overrides: str) -> Matrix:
    return build_matrix(parse_yaml(text, "m.yaml"), Path("."), overrides)


def mistakes(text: str, *overrides: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        matrix(text, *overrides)
    return list(caught.value.lines)


def variants(found: Matrix, label: str) -> list[tuple[str, int | None]]:
    return [(v.base, v.rank) for v in found.variants if v.label == label]


class TestSpreading:
    def test_axes_bases_and_per_base_overrides_multiply_out(self):
        assert variants(matrix(), "lora") == [("small", 4), ("large", 2), ("large", 8)]

    def test_rates_are_sorted_and_are_no_axis_of_the_variant(self):
        full = [v for v in matrix().variants if v.label == "full_sft"]
        assert [v.rates for v in full] == [(1e-4, 3e-4), (1e-4, 3e-4)]

    def test_an_override_is_deep(self):
        lora = next(v for v in matrix().variants if v.label == "lora")
        assert lora.settings.optimizer.warmup_steps == 3
        assert lora.settings.optimizer.weight_decay == 0.1

    def test_a_budget_is_replaced_whole(self):
        found = matrix(GOOD, "budget.epochs=2")
        assert found.variants[0].settings.budget.steps is None
        assert found.variants[0].settings.budget.epochs == 2

    def test_preference_entries_start_from_the_variants_that_match(self):
        assert variants(matrix(), "dpo") == [("large", 8)]
        dpo = next(v for v in matrix().variants if v.label == "dpo")
        assert dpo.parent is not None and dpo.parent.label == "lora"

    def test_settings_can_be_axes_too(self):
        found = matrix(GOOD, "methods.full_sft.kernels.attention=[eager,sdpa]", "methods.full_sft.bases=[small]")
        kernels = [v.settings.kernels.attention for v in found.variants if v.label == "full_sft"]
        assert kernels == ["eager", "sdpa"]

    def test_a_share_of_a_mix_can_be_an_axis(self):
        mix = "[{file: t.jsonl}, {file: r.jsonl, share: [0, 0.25], role: replay}]"
        found = matrix(GOOD, f"methods.full_sft.data.sft={mix}", "methods.full_sft.bases=[small]")
        shares = [v.settings.data.sft[1].share for v in found.variants if v.label == "full_sft"]
        assert shares == [0, 0.25]

    def test_target_modules_given_as_a_list_are_one_value_and_as_lists_an_axis(self):
        fixed = ("methods.lora.bases=[small]", "methods.dpo.starts_from=full_sft")
        one = matrix(GOOD, "methods.lora.target_modules=[q_proj, v_proj]", *fixed)
        two = matrix(GOOD, "methods.lora.target_modules=[all-linear, [q_proj]]", *fixed)
        assert len(variants(one, "lora")) == 1
        assert len(variants(two, "lora")) == 2

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("0", "seeds: 0: input should be greater than 0"),
            ("[]", "seeds: []: tuple should have at least 1 item"),
            ("one", "seeds: 'one': input should be a valid integer"),
            ("[1, a]", "seeds.1: 'a': input should be a valid integer"),
        ],
    )
    def test_seeds_that_are_neither_are_one_line(self, given, says):
        (line,) = mistakes(GOOD, f"seeds={given}")
        assert says in line

    def test_seeds_are_a_number_or_a_list(self):
        assert matrix().seeds == (1, 2)
        assert matrix(GOOD, "seeds=[7, 9]").seeds == (7, 9)


class TestOverrides:
    def test_a_list_on_the_command_line_is_an_axis(self):
        assert variants(matrix(GOOD, "methods.lora.rank=[8, 64]"), "lora") == [
            ("small", 4),
            ("large", 8),
            ("large", 64),
        ]

    def test_an_entry_that_does_not_exist_is_named(self):
        assert mistakes(GOOD, "methods.loar.rank=2") == [
            "--set methods.loar.rank=2: no method entry 'loar' (here: base, full_sft, lora, dpo)"
        ]

    def test_a_base_with_a_dot_in_its_name_can_be_overridden(self):
        text = GOOD.replace("small", "small-0.2m")
        assert variants(matrix(text, "methods.lora.per_base.small-0.2m.rank=16"), "lora")[0] == ("small-0.2m", 16)

    def test_a_mistake_in_an_override_is_placed_on_the_command_line(self):
        assert mistakes(GOOD, "methods.lora.alpha=-1") == [
            "--set: methods.lora.alpha: -1: input should be greater than 0"
        ]

    def test_an_override_without_a_value_is_explained(self):
        assert "expected KEY=VALUE" in mistakes(GOOD, "seeds")[0]


class TestMistakes:
    @pytest.mark.parametrize(
        ("override", "said"),
        [
            ("methods.lora.per_base={small: 8}", "8 is not a mapping of settings"),
            ("methods.dpo.starts_from={lora: 8}", "8 is not a mapping of parameters, as in {rank: 8}"),
            ("selection.sft=acc", "'acc' is an eval of split test: choose rates by one of validation"),
        ],
    )
    def test_values_of_the_wrong_shape_or_split_are_said_plainly(self, override, said):
        text = GOOD + "evals:\n  - {task: acc, role: target}\n"
        assert any(said in line for line in mistakes(text, override))

    def test_an_empty_override_for_a_base_changes_nothing(self):
        assert variants(matrix(GOOD, "methods.full_sft.per_base={small: }"), "full_sft") == variants(
            matrix(), "full_sft"
        )

    def test_all_of_them_are_reported_at_once_in_the_order_of_the_file(self):
        text = (
            GOOD.replace("seeds: 2", "seedz: 2")
            .replace("rank: [2, 8]", "rank: [2, 0]")
            .replace("{steps: 20}", "{steps: x}")
        )
        found = mistakes(text)
        assert [line.split(": ")[0] for line in found] == ["m.yaml:2", "m.yaml:6", "m.yaml:14"]

    @pytest.mark.parametrize(
        ("old", "new", "key"),
        [
            ("suite: demo", "suite: a/b", "suite"),
            ("seeds: 2", "seeds: [1, 1]", "seeds"),
            ("  small: {path: a}", "  small: 5", "bases.small"),
            ("bases:\n  small: {path: a}\n  large: {path: b}", "bases: 5", "bases"),
            ("  base: {}", "  base: 5", "methods.base"),
            ("suite: demo", "evals: [{task: a}]\nselection: {sft: a}", "evals.0.role"),
            ("suite: demo", "timeout_seconds: -1", "timeout_seconds"),
        ],
    )
    def test_one_in_the_header_hides_none_in_the_methods_and_brings_no_other(self, old, new, key):
        found = mistakes(GOOD.replace(old, new).replace("rank: [2, 8]", "rank: [2, 0, 8]"))
        assert {line.split(": ")[1] for line in found} == {key, "methods.lora.rank.1"}
        assert len(found) == 2

    def test_nor_one_in_the_bases(self):
        found = mistakes(GOOD.replace("suite: demo", "suite: a/b").replace("{path: a}", "{path: a, hub: b}"))
        assert [line.split(": ")[1] for line in found] == ["suite", "bases.small"]

    @pytest.mark.parametrize(
        ("old", "new", "line"),
        [
            ("rank: [2, 8]", "rank: [2, 0]", "m.yaml:14: methods.lora.rank.1: 0: input should be greater than 0"),
            (
                "[3e-4, 1e-4]",
                "[3e-4, -1]",
                "m.yaml:12: methods.full_sft.learning_rate.1: -1: input should be greater than 0",
            ),
            ("[3e-4, 1e-4]", "0", "m.yaml:12: methods.full_sft.learning_rate.0: 0: input should be greater than 0"),
            ("[3e-4, 1e-4]", "[]", "m.yaml:12: methods.full_sft.learning_rate: an empty list: nothing to run"),
            (
                "base: {}",
                "base: {learning_rate: 1}",
                "m.yaml:11: methods.base.learning_rate: base trains nothing and has no learning rate",
            ),
            ("seeds: 2", "seeds: [1, 1]", "m.yaml:2: seeds: a seed stands twice in [1, 1]"),
            (
                "{file: train.jsonl}",
                "{file: train.jsonl, share: 0.5}",
                "m.yaml:8: data: sft: the shares of train.jsonl add up to 0.5, not to 1",
            ),
            (
                "{path: a}",
                "{path: a, hub: b}",
                "m.yaml:4: bases.small: give exactly one of embedded, path, hub, config (got path, hub)",
            ),
            ("{path: a}", "{path: a, revision: b}", "m.yaml:4: bases.small.revision: only a hub base has a revision"),
            (
                "{steps: 20}",
                "{steps: 20, epochs: 1}",
                "m.yaml:6: budget: give exactly one of steps, epochs, real_tokens (got steps, epochs)",
            ),
            (
                "{lora: {rank: 8}}",
                "{lora: {rank: 9}}",
                "m.yaml:19: methods.dpo.starts_from.lora: no variant of 'lora' has {'rank': 9}",
            ),
            (
                "{lora: {rank: 8}}",
                "base",
                "m.yaml:19: methods.dpo.starts_from: 'base' is no SFT entry of this file (here: full_sft, lora)",
            ),
        ],
    )
    def test_each_is_one_line_with_file_line_key_value_and_what_is_allowed(self, old, new, line):
        assert mistakes(GOOD.replace(old, new)) == [line]

    def test_an_unknown_key_lists_what_is_allowed_and_what_was_meant(self):
        [line] = mistakes(GOOD.replace("rank: [2, 8]", "rnak: [2, 8]").replace("{lora: {rank: 8}}", "lora"))
        assert line.startswith(
            "m.yaml:14: methods.lora.rnak: unknown key; did you mean 'rank'? (allowed: method, bases"
        )

    def test_an_unknown_method_names_the_known_ones(self):
        [line] = mistakes(GOOD.replace("  base: {}", "  bose: {}"))
        known = "base, full_sft, lora, qlora, dpo"
        assert line == f"m.yaml:11: methods.bose: unknown method 'bose'; did you mean 'base'? (known: {known})"

    def test_an_unknown_kernel_names_the_allowed_ones(self):
        [line] = mistakes(GOOD + "kernels: {attention: flash}\n")
        assert line == "m.yaml:21: kernels.attention: 'flash': input should be 'eager', 'sdpa' or 'flash_attention_2'"

    def test_a_file_that_is_no_mapping_is_refused(self):
        assert mistakes("- 1\n") == ["m.yaml: a matrix file is a mapping with `bases` and `methods`"]

    def test_an_empty_matrix_is_refused(self):
        assert any("methods" in line for line in mistakes("bases: {a: {path: x}}\nmethods: {}\n"))

    def test_a_batch_that_does_not_split_evenly_is_refused(self):
        assert "micro_batch_size 5 does not divide batch_size 16" in mistakes(GOOD + "micro_batch_size: 5\n")[0]

    @given(st.text(max_size=200))
    def test_no_text_at_all_ends_in_anything_but_a_matrix_or_user_errors(self, text):
        try:
            matrix(text)
        except UserError as error:
            assert all("\n" not in line for line in error.lines)


TREES = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(st.sampled_from("abc"), TREES), st.dictionaries(st.sampled_from("abc"), TREES))
def test_merging_keeps_everything_that_is_not_overridden(lower, upper):
    merged = defaults_merged(lower, upper)
    assert defaults_merged(merged, upper) == merged
    for key in lower.keys() - upper.keys():
        assert merged[key] == lower[key]
