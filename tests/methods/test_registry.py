"""Methods are found by name, a third party's through its entry point."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from methods import registry
from methods.method import Method
from tests.methods.cells import assignment, run, scores, stage, trained
from tests.methods.installed import installed

PLUGIN = '''
from tunematrix import LoraParameters, Method, add_adapter, sft_trainer


class FewLayers(Method):
    """LoRA on the attention's queries alone."""

    name = "queries"
    result = "adapter"
    Parameters = LoraParameters

    def attach(self, model, parameters, adapter_dtype):
        own = parameters.model_copy(update={"target_modules": ("q_proj",)})
        return add_adapter(model, own, adapter_dtype)

    def trainer(self, job):
        return sft_trainer(job)


METHOD = FewLayers()
NOT_A_METHOD = object()
'''
POINTS = {
    "queries": "few_layers:METHOD",
    "broken": "few_layers:NOT_A_METHOD",
    "unwritten": "few_layers:MISSING",
    "keys": "few_layers:METHOD",
}


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[None]:
    """A package that adds the method `queries`, and three that will not do."""
    with installed(tmp_path / "site", {"few_layers.py": PLUGIN}, POINTS):
        yield


def test_every_built_in_method_is_found_by_its_own_name() -> None:
    assert {registry.get(name).name for name in registry.BUILT_IN} == set(registry.BUILT_IN)


def test_an_unknown_method_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        registry.get("queries")


def test_a_third_partys_method_is_listed_after_the_built_in_ones(plugin: None) -> None:
    assert registry.names()[: len(registry.BUILT_IN)] == registry.BUILT_IN
    assert "queries" in registry.names()
    assert isinstance(registry.get("queries"), Method)


def test_a_third_partys_method_trains_and_scores_a_cell(plugin: None, tmp_path: Path) -> None:
    said = run(assignment(tmp_path, stage("queries", rank=4, rate=1e-2), evals=("choices",)))

    assert trained(said).trainable_parameters == 4 * (64 + 64) * 4  # rank x (in + out) of a query, in 4 layers
    assert trained(said).fingerprint.keys() == {
        f"model.layers.{layer}.self_attn.q_proj.lora_{side}.default" for layer in range(4) for side in "AB"
    }
    assert scores(said, "merged").keys() == {"pocket_arithmetic"}


def test_an_entry_point_that_is_no_method_is_a_type_error(plugin: None) -> None:
    with pytest.raises(TypeError, match=r"broken is object, not a tunematrix\.Method"):
        registry.get("broken")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unwritten", "cannot be loaded from few_layers:MISSING: AttributeError"),
        ("keys", "is a method named 'queries'"),
    ],
)
def test_an_entry_point_that_will_not_do_says_why_in_one_line(plugin: None, name: str, why: str) -> None:
    with pytest.raises(TypeError, match=rf"^entry point tunematrix\.methods:{name} {why}.*\Z"):
        registry.get(name)


def test_importing_tunematrix_or_a_method_imports_no_torch() -> None:
    code = (
        "import sys, tunematrix, methods.registry as r; [r.get(n) for n in r.BUILT_IN]; tunematrix.Method; "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tunematrix_offers_what_it_lists() -> None:
    import tunematrix

    assert all(getattr(tunematrix, name) is not None for name in tunematrix.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        tunematrix.nothing  # noqa: B018
