"""Which tables a section has, what their columns say, and the words that explain them."""

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from harness.analysis.costs import ALLOCATED, RESERVED
from harness.analysis.failures import grouped
from harness.analysis.forgetting import by_task
from harness.analysis.section import Section
from harness.analysis.summary import summarise, summarise_merged
from harness.report import words
from harness.report.model import Column, Row, Table

EDGES = {"lowest": "v", "highest": "^", "only": "!"}

INTERVALS = "Scores are percentage points, with 95 % intervals over items and seeds in brackets."
GAIN = "gain: target score minus the untrained base's, on the same items."
FORGETS = (
    "forgets: general score of the base minus the tuned model's, a mean over the general tasks; positive means that "
    "something was lost. ppl: perplexity on general text, tuned over base; above 1.00x is worse."
)
LETTERS = (
    "tie: arms of one base that share a letter cannot be told apart on the target (tests paired by item where items "
    "were kept, Holm-corrected); a is the best group. place: one more than the number of arms that are supported as "
    "better."
)
OTHERS = (
    "pref: preference score, and for DPO what it gained over its own SFT stage. refused, complied, ...: the safety "
    "tasks, by what they count; safe (in the files): their mean."
)
RATES = (
    "rate: learning rate chosen on validation data; ^ or v marks the highest or lowest rate tried, where a better one "
    "may lie beyond, ! the only one tried."
)
SPEED = "speed: real tokens a second over those of full SFT on the same base (1.00x)."
TUNING = "tuning (in the files): time of all rates and seeds, failed ones too; for DPO its own (with its SFT stage)."
ABOVE = "Intervals, tie, forgets, memory and speed as explained above."
ONE_SEED = "1*: one seed, so the interval speaks of that one trained model, not of the method."
UNMEASURED = "memory: oom, timeout and the like are how the run ended that should have measured it."
FAILED = (
    "An arm without scores shows how it failed instead; one that was not scored on what most arms were (the same task, "
    "version, items and decoding) shows none."
)


def tables(section: Section, failures: pd.DataFrame) -> tuple[Table, ...]:
    """The tables of a section that have rows."""
    summary = summarise(section)
    names = summary.set_index("arm_id")[["name"]]
    tasks = by_task(section)
    safety, of_safety = _safety(tasks)
    unmeasured = _unmeasured(failures)
    memory = _memory(unmeasured)
    short = (*_SHORT, *(replace(column, spare=8, screen=True) for column in of_safety), memory, *_SHORT_COST)
    main = _main(summary, safety, (*of_safety, memory), (UNMEASURED,) if unmeasured else ())
    found = [main, _by_rank(summary, short), _by_base(summary, short)]
    found += [_rates(section, names), _merged(section), _tasks(section, tasks, names), _failures(failures, names)]
    return tuple(table for table in found if len(table.frame))


def _main(summary: pd.DataFrame, safety: pd.DataFrame, between: tuple[Column, ...], more: tuple[str, ...]) -> Table:
    columns = (_NAME, _BASE, *_QUALITY, *between, *_COST)
    frame = summary.join(safety, on="arm_id")
    scores, costs = (INTERVALS, GAIN, FORGETS, LETTERS, OTHERS), (_memory_words(summary), SPEED, RATES, TUNING)
    legend = (*scores, *costs, ONE_SEED, FAILED, *more)
    return Table("main", "Methods", frame, columns, legend, by_base=True)


def _safety(tasks: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Each arm's score in each safety task (a column), and how to show it: a mean would hide that refusals were lost
    where harmless requests are complied with, or the reverse."""
    tasks = tasks[(tasks["role"] == "safety") & (tasks["kind"] == "points")]
    wide = tasks.pivot_table(index="arm_id", columns="task", values="score", sort=False)
    headers = tasks.drop_duplicates("task").set_index("task")["metric"]
    return wide, tuple(
        _safety_column(wide[task], headers[task] if (headers == headers[task]).sum() == 1 else task)
        for task in wide.columns
    )


def _safety_column(scores: pd.Series, header: str) -> Column:
    by_arm = scores.dropna().to_dict()
    return Column(words.text(header), lambda row: words.points(by_arm.get(row["arm_id"])), True, spare=5)


def _by_rank(summary: pd.DataFrame, short: tuple[Column, ...]) -> Table:
    frame = summary[summary["chosen_rate"].notna()].sort_values(
        ["rank", "base_parameters", "target"], ascending=[True, False, False], na_position="last", kind="stable"
    )
    rank = Column("rank", lambda row: str(row["rank"]) if row["rank"] is not None else "all weights", True)
    base = replace(_BASE, brief=True)
    legend = (
        "rank: the adapter's; all weights where there is none. trained: parameters that training changed.",
        ABOVE,
    )
    return Table("by_rank", "Trained arms by rank", frame, (rank, _NAME, base, *short), legend)


def _by_base(summary: pd.DataFrame, short: tuple[Column, ...]) -> Table:
    frame = summary[summary["chosen_rate"].notna()].sort_values(
        ["base_parameters", "base", "method", "rank", "name"], kind="stable", na_position="last"
    )
    size = Column("size", lambda row: words.count(row["base_parameters"]), True)
    base = replace(_BASE, brief=True)
    legend = ("size: parameters of the untrained base. trained: parameters that training changed.", ABOVE)
    return Table("by_base", "Trained arms by size of the base", frame, (size, base, _NAME, *short), legend)


def _rates(section: Section, names: pd.DataFrame) -> Table:
    frame = section.rates.join(names, on="arm_id")
    columns = (
        _NAME,
        replace(_BASE, brief=True),
        Column("rate", lambda row: words.rate(row["learning_rate"]), True),
        Column("validation", _validation, True),
        Column("seeds", lambda row: str(row["seeds"]), True),
        Column("chosen", _chosen, True, words=True),
        Column("failed", _failed_at_rate, True, words=True),
    )
    legend = (
        "validation: mean score on the validation task over the seeds run at that rate; most seeds, then the best "
        "score, is chosen. Test items take no part.",
        RATES,
    )
    return Table("rates", "Learning rates tried", frame, columns, legend)


def _merged(section: Section) -> Table:
    columns = (
        _NAME,
        replace(_BASE, brief=True),
        Column("moment", lambda row: row["moment"].replace("_", ", "), True, words=True),
        Column("target [95 %]", lambda row: words.with_interval(row, "target"), True),
        Column("minus tuned [95 %]", lambda row: words.with_interval(row, "difference", signed=True), True),
        Column("seeds", lambda row: str(row["seeds"]), True),
    )
    legend = (
        "merged: the adapter added into the base's weights. merged, requantised: then put back into 4 bit. minus "
        "tuned: target score minus that of the adapter as trained, on the same items and seeds.",
    )
    return Table("merged", "Adapters merged into the base", summarise_merged(section), columns, legend)


def _tasks(section: Section, tasks: pd.DataFrame, names: pd.DataFrame) -> Table:
    about = section.arms.set_index("arm_id")[["base"]].rename(columns={"base": "base_model"})
    frame = tasks.join(names, on="arm_id").join(about, on="arm_id")
    columns = (
        _NAME,
        Column("base", lambda row: words.text(row["base_model"]), words=True),
        Column("task", lambda row: words.text(row["task"]), words=True),
        Column("role", lambda row: words.text(row["role"]), words=True),
        Column("metric", lambda row: words.text(row["metric"]), words=True),
        Column("score [95 %]", _task_score),
        Column("base's", lambda row: _task_figure(row, "base")),
        Column("lost [95 %]", _task_change),
    )
    legend = (
        "lost: base minus tuned in points, positive is worse; for a perplexity tuned over base, above 1 is worse.",
    )
    return Table("tasks", "Every task", frame, columns, legend, files_only=True)


def _failures(failures: pd.DataFrame, names: pd.DataFrame) -> Table:
    frame = grouped(failures[~failures["mended"]]).drop(columns=["runs", "run_id"]).join(names, on="arm_id")
    columns = (
        Column("arm", lambda row: words.text(row["name"] or row["label"]), True, words=True),
        replace(_BASE, brief=True),
        Column("rate", lambda row: words.rate(row["learning_rate"]), True),
        Column("seeds", lambda row: words.text(row["seeds"]), True),
        Column("run", lambda row: words.text(row["purpose"]), words=True),
        Column("ended as", lambda row: words.text(row["status"]), True, words=True),
        Column("while", lambda row: words.text(row["failed_phase"]), True, words=True),
        Column("why", lambda row: words.text(row["reason"]), True, words=True),
    )
    legend = ("Runs that did not end well and were not run again with success since.",)
    return Table("failures", "What failed, and why", frame, columns, legend)


# --- cells ---------------------------------------------------------------------------------------------------------


def _memory_words(summary: pd.DataFrame) -> str:
    measures = summary["memory_measure"].dropna().unique()
    if not len(measures):
        return "memory, speed: not measured yet."
    if measures[0] == RESERVED:
        return "memory: peak of what PyTorch's allocator reserved, over the whole run, loading and scoring included."
    if measures[0] == ALLOCATED:
        meaning = "peak of what PyTorch's CUDA allocator handed out (allocated)"
    else:
        meaning = "peak of tensor bytes counted in a ledger: weights, gradients, optimizer state, activations"
    return f"memory: {meaning}, in training alone on the device."


def _unmeasured(failures: pd.DataFrame) -> dict[str, str]:
    """How the newest measure run of an arm ended that failed and was not run again with success, by the arm's id."""
    unmended = failures[~failures["mended"] & (failures["purpose"] == "measure")]  # the newest first
    return dict(unmended.drop_duplicates("arm_id").set_index("arm_id")["status"])


def _memory(ended_as: Mapping[str, str]) -> Column:
    """What was measured, or how the run ended that should have: that an arm needs more than there is is a finding."""

    def shown(row: Row) -> str:
        unmeasured = row["memory_bytes"] is None
        return words.text(ended_as.get(row["arm_id"])) if unmeasured else words.size(row["memory_bytes"])

    return Column("memory", shown, True, spare=1)


def _target(row: Row) -> str:
    if row["target"] is None and row["status"] != "ok":
        return words.text(row["status"])
    return words.with_interval(row, "target")


def _seeds(row: Row) -> str:
    return f"{words.text(row['seeds'])}{'*' if row['flag'] else ''}"


def _chosen_rate(row: Row) -> str:
    return f"{words.rate(row['chosen_rate'])}{EDGES.get(row['edge'], '')}"


def _trained(row: Row) -> str:
    share = row["trainable_share"]
    count = words.count(row["trainable_parameters"])
    return count if share is None else f"{count} ({100 * share:.3g} %)"


def _preference(row: Row) -> str:
    gained = row["preference_gain"]
    own = words.with_interval(row, "preference")
    return own if gained is None else f"{own}, {words.with_interval(row, 'preference_gain', signed=True)} over SFT"


def _tuning(row: Row) -> str:
    own, both = words.seconds(row["tuning_seconds"]), row["tuning_seconds_with_sft"]
    return own if both is None else f"{own} ({words.seconds(both)})"


def _validation(row: Row) -> str:
    value = row["validation"]
    return words.points(value) if row["higher_is_better"] or value is None else f"{value:.3g}"


def _chosen(row: Row) -> str:
    return f"yes{' ' + EDGES[row['edge']] if row['edge'] else ''}" if row["chosen"] else ""


def _failed_at_rate(row: Row) -> str:
    return f"{row['failed_runs']} {words.text(row['failures'])}" if row["failed_runs"] else ""


def _task_figure(row: Row, name: str) -> str:
    if row["kind"] == "points" or row[name] is None:
        return words.points(row[name])
    return f"{row[name]:.3g}"


def _task_score(row: Row) -> str:
    return words.with_interval(row, "score") if row["kind"] == "points" else _task_figure(row, "score")


def _task_change(row: Row) -> str:
    if row["kind"] == "points":
        return words.with_interval(row, "forgetting", signed=True)
    return words.times_with_interval(row, "forgetting")


_NAME = Column("arm", lambda row: words.text(row["name"]), True, words=True)
_BASE = Column("base", lambda row: words.text(row["base"]), words=True)
_PLACE = Column("place", lambda row: words.MISSING if row["place"] is None else str(row["place"]), True, spare=9)
_TARGET = Column("target [95 %]", _target, True)
_TIE = Column("tie", lambda row: words.text(row["letters"] or ""), True, words=True, spare=2)
_FORGETS = Column("forgets", lambda row: words.points(row["forgetting"], signed=True), True)
_SPEED = Column("speed", lambda row: words.times(row["relative_speed"]), True, spare=3)
_TRAINED = Column("trained", _trained, True, spare=10)
_GAIN = Column("gain", lambda row: words.points(row["gain"], signed=True), True, spare=1)
_PREFERENCE = Column("pref", lambda row: words.points(row["preference"]), True, spare=4)
_RATE = Column("rate", _chosen_rate, True, spare=7)

_QUALITY = (
    _TARGET,
    _TIE,
    _PLACE,
    _GAIN,
    Column("gain [95 %]", lambda row: words.with_interval(row, "gain", signed=True)),
    _FORGETS,
    Column("forgets [95 %]", lambda row: words.with_interval(row, "forgetting", signed=True)),
    Column("ppl", lambda row: words.times(row["perplexity_ratio"]), True, spare=6),
    Column("ppl [95 %]", lambda row: words.times_with_interval(row, "perplexity_ratio")),
    _PREFERENCE,
    Column("pref [95 %]", _preference),
    Column("safe [95 %]", lambda row: words.with_interval(row, "safety")),
)
_COST = (
    _SPEED,
    Column("tokens/s", lambda row: words.count(row["tokens_per_second"])),
    _TRAINED,
    _RATE,
    Column("tuning", _tuning),
    Column("seeds", _seeds, True, spare=8),
)
_SHORT = (
    _TARGET,
    _TIE,
    replace(_GAIN, spare=6, screen=True),
    _FORGETS,
    replace(_PREFERENCE, spare=7, screen=True),
)
_SHORT_COST = (_SPEED, replace(_TRAINED, spare=5), replace(_RATE, spare=9, screen=True))
