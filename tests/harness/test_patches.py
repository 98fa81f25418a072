"""A patch is found, named by its source, called on the model, and never in anybody's way."""

import sys
from types import SimpleNamespace

import pytest

from harness.errors import UserError
from harness.patches import apply_patch, describe_patch


@pytest.fixture
def folder(tmp_path):
    """A folder with modules of patches; they are forgotten afterwards."""
    before = set(sys.modules)
    (tmp_path / "own_kernel.py").write_text(
        "def mark(model): model.marked = True\n"
        "def fail(model): raise ValueError('no such layer')\n"
        "def swap(model): return object()\n"
        "def leave(model): raise SystemExit(0)\n"
        "number = 3\n"
    )
    (tmp_path / "broken_kernel.py").write_text("import a_library_that_nobody_has\n")
    (tmp_path / "leaving_kernel.py").write_text("import sys\nsys.exit(0)\n")
    yield str(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_it_changes_the_model_in_place(folder):
    model = SimpleNamespace()
    apply_patch(model, describe_patch("own_kernel:mark", [folder]), [folder])
    assert model.marked


def test_no_patch_changes_nothing(folder):
    model = SimpleNamespace()
    apply_patch(model, None, [folder])
    assert vars(model) == {}


def test_another_source_is_another_patch(folder, tmp_path):
    before = describe_patch("own_kernel:mark", [folder])
    (tmp_path / "own_kernel.py").write_text("def mark(model): model.marked = False\n")
    assert describe_patch("own_kernel:mark", [folder])["source"] != before["source"]


def test_a_source_that_changed_since_the_plan_is_not_run(folder, tmp_path):
    patch = describe_patch("own_kernel:mark", [folder])
    (tmp_path / "own_kernel.py").write_text("def mark(model): model.marked = False\n")
    with pytest.raises(RuntimeError, match="changed since it was planned"):
        apply_patch(SimpleNamespace(), patch, [folder])


@pytest.mark.parametrize(
    "text",
    [
        "from written_elsewhere import mark\n",
        "import functools, written_elsewhere\nmark = functools.partial(written_elsewhere.mark)\n",
        "import written_elsewhere\n@written_elsewhere.decorated\ndef mark(model): pass\n",
        "import written_elsewhere\nmark = written_elsewhere.Marker()\n",
    ],
)
def test_another_source_of_what_it_is_made_from_is_another_patch(folder, tmp_path, text):
    elsewhere = (
        "import functools\n"
        "def mark(model): model.marked = True\n"
        "def decorated(function): return functools.wraps(function)(lambda model: mark(model))\n"
        "class Marker:\n"
        "    def __call__(self, model): mark(model)\n"
    )
    (tmp_path / "written_elsewhere.py").write_text(elsewhere)
    (tmp_path / "gathered_kernels.py").write_text(text)
    before = describe_patch("gathered_kernels:mark", [folder])
    (tmp_path / "written_elsewhere.py").write_text(elsewhere.replace("True", "False"))
    assert describe_patch("gathered_kernels:mark", [folder])["source"] != before["source"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere_to_be_found:mark", "no module 'nowhere_to_be_found'"),
        ("own_kernel:missing", "holds no such function"),
        ("own_kernel:number", "holds no such function"),
        ("own_kernel", "expected package.module:function"),
        (":mark", "expected package.module:function"),
        ("leaving_kernel:mark", "cannot be imported: SystemExit: 0"),
        ("broken_kernel:mark", "cannot be imported: ModuleNotFoundError: .*a_library_that_nobody_has"),
    ],
)
def test_one_that_will_not_do_is_told_in_a_line(folder, name, told):
    with pytest.raises(UserError, match=told) as error:
        describe_patch(name, [folder])
    assert len(error.value.lines) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [("fail", "raised ValueError: no such layer"), ("leave", "raised SystemExit: 0"), ("swap", "in place")],
)
def test_what_it_does_wrong_is_said(folder, name, told):
    with pytest.raises(RuntimeError, match=told):
        apply_patch(SimpleNamespace(), describe_patch(f"own_kernel:{name}", [folder]), [folder])


def test_its_folder_hides_nothing_that_is_installed(folder, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    describe_patch("own_kernel:mark", [folder])
    import json

    assert json.dumps(1) == "1"
    assert folder not in sys.path
