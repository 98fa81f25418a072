"""Memory by phase, and speed over rounds."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analysis.gate.finding import MATRIX, Finding, Verdict, Worse, times_as_many, verdict_of
from harness.analysis.gate.match import Matched
from harness.analysis.gate.pooled import corrected
from harness.analysis.gate.rules import Effect, Tolerance
from harness.analysis.gate.side import Side
from harness.analysis.signed_rank import hodges_lehmann, values_needed

MEASURES = {"ledger_peak_bytes": "ledger", "peak_allocated_bytes": "allocated", "peak_reserved_bytes": "reserved"}
LEDGER = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")
NO_RATIO = pd.Series(dtype=float)
NOT_IN_TURN = "not measured in turn, and no two hours of a machine are the same; --ab runs both sides in turn"


def judge_memory(baseline: Side, candidate: Side, matched: Matched, rule: Tolerance) -> Iterator[Finding]:
    """The peak of each phase by each measure that both sides have, the highest over an arm's runs."""
    ours, theirs = (_peaks(side.phases, matched.pairs, key) for side, key in _both(baseline, candidate))
    both = ours.add_suffix("_baseline").join(theirs.add_suffix("_candidate"), how="outer")
    shared = [measure for measure in MEASURES if ours[measure].notna().any() and theirs[measure].notna().any()]
    told: dict[str, list[Finding]] = {}
    for (arm, phase), row in both.iterrows():
        told.setdefault(str(arm), []).extend(
            _memory(str(arm), str(phase), measure, row, rule)
            for measure in shared
            if pd.notna(row[f"{measure}_baseline"]) or pd.notna(row[f"{measure}_candidate"])
        )
    for arm in _trained_arms(matched):
        why = "no peak in runs of the same steps on both sides"
        yield from told.get(arm) or [Finding("memory", arm, "not measured", unit="share", why=why)]


def judge_speed(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """Tokens a second of each arm: the middle of the rounds' log ratios (Hodges and Lehmann)."""
    ratios = speed_ratios(baseline, candidate, matched)
    rounds = {
        str(arm): own["log_ratio"].to_numpy() for arm, own in ratios.dropna(subset="round").groupby("arm", sort=False)
    }
    judged = _in_rounds(list(rounds.values()), rule)
    for (arm, values), worse in zip(rounds.items(), judged, strict=True):
        yield _speed("speed", arm, len(values), worse, rule, len(rounds))
    out_of_turn = dict(list(ratios.groupby("arm", sort=False)["log_ratio"]))
    for arm in _trained_arms(matched):
        if arm not in rounds:
            yield _out_of_turn("speed", arm, out_of_turn.get(arm, NO_RATIO))


def judge_matrix_speed(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """The same over all arms: each round's mean over them, since what disturbs one of them disturbs its neighbours."""
    ratios = speed_ratios(baseline, candidate, matched)
    by_round = ratios.dropna(subset="round").groupby("round")["log_ratio"].mean().to_numpy()
    if by_round.size:
        (worse,) = _in_rounds([by_round], rule)
        yield _speed("matrix_speed", MATRIX, by_round.size, worse, rule, 1)
    else:
        yield _out_of_turn("matrix_speed", MATRIX, ratios["log_ratio"])


def speed_ratios(baseline: Side, candidate: Side, matched: Matched) -> pd.DataFrame:
    """A row a pair of measure runs: arm, ``round`` (None where they did not take turns), and ``log_ratio``, the natural
    logarithm of the candidate's tokens a second over the baseline's."""
    measured = matched.pairs[matched.pairs["purpose"] != "quality"]
    ours, theirs = (measured[key].map(_speeds(side.phases)) for side, key in _both(baseline, candidate))
    ratio = np.log(theirs.where(theirs > 0)) - np.log(ours.where(ours > 0))
    return measured[["arm", "round"]].assign(log_ratio=ratio.astype(float)).dropna(subset="log_ratio")


def _in_rounds(log_ratios: Sequence[NDArray[np.float64]], rule: Effect) -> list[Worse]:
    return corrected(lambda level: [hodges_lehmann(-values, level) for values in log_ratios], rule.level)


def _speed(quantity: str, where: str, rounds: int, slower: Worse, rule: Effect, tests: int) -> Finding:
    verdict, why = verdict_of(slower, rule)
    if verdict == "inconclusive":
        needed = values_needed(rule.level / tests)  # with fewer, no outcome at all would be beyond chance
        if slower.worst is not None:
            needed = max(needed, int(np.ceil(rounds * times_as_many(slower, rule))))
        why = f"{_rounds(rounds)}; {max(1, needed - rounds)} more would do"
    low, high = (None if end is None else float(np.expm1(-end)) for end in (slower.interval.high, slower.interval.low))
    change = float(np.expm1(-slower.estimate))
    return Finding(quantity, where, verdict, _rounds(rounds), "share", change, low, high, rule.minimum, why)


def _out_of_turn(quantity: str, where: str, log_ratios: pd.Series) -> Finding:
    if log_ratios.empty:
        return Finding(quantity, where, "not measured", why="no speed in runs of the same steps on both sides")
    change = float(np.expm1(log_ratios.median()))
    return Finding(quantity, where, "inconclusive", change=change, why=NOT_IN_TURN)


def _rounds(n: int) -> str:
    return f"{n} round" if n == 1 else f"{n} rounds"


def _memory(arm: str, phase: str, measure: str, row: pd.Series, rule: Tolerance) -> Finding:
    ours, theirs = float(row[f"{measure}_baseline"]), float(row[f"{measure}_candidate"])
    detail = f"{phase}, {MEASURES[measure]}"
    if np.isnan(ours) or np.isnan(theirs):
        verdict: Verdict = "missing" if np.isnan(theirs) else "new"
        return Finding("memory", arm, verdict, detail, why="one side alone has this peak")
    change = theirs / ours - 1 if ours else float(np.inf if theirs else 0.0)
    verdict = "regressed" if change > rule.share else "improved" if change < -rule.share else "pass"
    why = _component(row) if measure == "ledger_peak_bytes" and verdict != "pass" else ""
    return Finding("memory", arm, verdict, detail, "share", change, limit=rule.share, why=why or "the peak's change")


def _component(row: pd.Series) -> str:
    """Which part of the ledger changed most."""
    changes = {part: row[f"ledger_{part}_bytes_candidate"] - row[f"ledger_{part}_bytes_baseline"] for part in LEDGER}
    part = max(changes, key=lambda name: abs(changes[name]))
    return f"{part} {changes[part] / 2**20:+.2f} MiB"


def _peaks(phases: pd.DataFrame, pairs: pd.DataFrame, key: str) -> pd.DataFrame:
    runs = pairs.drop_duplicates(key).set_index(key)["arm"]
    own = phases[phases["last_stage"] & phases["run_id"].isin(runs.index)]
    columns = [*MEASURES, *(f"ledger_{part}_bytes" for part in LEDGER)]
    return own.assign(arm=own["run_id"].map(runs)).groupby(["arm", "phase"])[columns].max()


def _speeds(phases: pd.DataFrame) -> pd.Series:
    own = phases[(phases["phase"] == "train") & phases["last_stage"]].dropna(subset="tokens_per_second_median")
    return own.set_index("run_id")["tokens_per_second_median"].astype(float)


def _both(baseline: Side, candidate: Side) -> list[tuple[Side, str]]:
    return [(baseline, "baseline"), (candidate, "candidate")]


def _trained_arms(matched: Matched) -> list[str]:
    return [str(arm) for arm in matched.pairs.loc[matched.pairs["method"] != "base", "arm"].unique()]
