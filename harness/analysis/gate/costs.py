"""Memory by phase, and speed over rounds."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from harness.analysis.corrections import holm
from harness.analysis.gate.finding import MATRIX, Finding, Verdict, half_width, verdict_of
from harness.analysis.gate.match import Matched
from harness.analysis.gate.rules import Effect, Tolerance
from harness.analysis.gate.side import Side
from harness.analysis.signed_rank import hodges_lehmann, values_needed

MEASURES = {"ledger_peak_bytes": "ledger", "peak_allocated_bytes": "allocated", "peak_reserved_bytes": "reserved"}
LEDGER = ("weights", "quantisation", "adapter", "gradient", "optimizer", "activation")


def judge_memory(baseline: Side, candidate: Side, matched: Matched, rule: Tolerance) -> Iterator[Finding]:
    """The peak of each phase by each measure that both sides have, the highest over an arm's runs."""
    ours, theirs = (_peaks(side.phases, matched.pairs, key) for side, key in _both(baseline, candidate))
    both = ours.add_suffix("_baseline").join(theirs.add_suffix("_candidate"), how="inner")
    for arm in _trained_arms(matched):
        own = both[both.index.get_level_values("arm") == arm]
        told = [
            _memory(str(arm), str(phase), measure, row, rule)
            for (_, phase), row in own.iterrows()
            for measure in MEASURES
            if pd.notna(row[f"{measure}_baseline"]) and pd.notna(row[f"{measure}_candidate"])
        ]
        yield from told or [Finding("memory", str(arm), "not measured", unit="share", why="a side holds no peak")]


def judge_speed(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """Tokens a second of each arm: the middle of the rounds' log ratios (Hodges and Lehmann)."""
    ratios = speed_ratios(baseline, candidate, matched)
    found = {arm: hodges_lehmann(values) for arm, values in ratios.groupby("arm", sort=False)["log_ratio"]}
    corrected = dict(zip(found, holm([one.p_value or 0.0 for one in found.values()]), strict=True))
    for arm in _trained_arms(matched):
        if arm not in found:
            yield Finding("speed", str(arm), "not measured", why="a side holds no speed")
            continue
        yield _speed("speed", str(arm), ratios.loc[ratios["arm"] == arm, "log_ratio"], rule, float(corrected[arm]))


def judge_matrix_speed(baseline: Side, candidate: Side, matched: Matched, rule: Effect) -> Iterator[Finding]:
    """The same over all arms: each round's mean over them, or where rounds are too few each arm and round by itself."""
    ratios = speed_ratios(baseline, candidate, matched)
    if ratios.empty:
        yield Finding("matrix_speed", MATRIX, "not measured", why="a side holds no speed")
        return
    by_round = ratios.groupby("round")["log_ratio"].mean()
    values = by_round if len(by_round) >= values_needed(rule.level) else ratios["log_ratio"]
    yield _speed("matrix_speed", MATRIX, values, rule, hodges_lehmann(values).p_value)


def speed_ratios(baseline: Side, candidate: Side, matched: Matched) -> pd.DataFrame:
    """A row an arm and round: ``log_ratio``, the natural logarithm of the candidate's tokens a second over the
    baseline's."""
    measured = matched.pairs[matched.pairs["purpose"] != "quality"]
    speeds = [_speeds(side.phases, measured[key]) for side, key in _both(baseline, candidate)]
    ratio = np.log(measured["candidate"].map(speeds[1])) - np.log(measured["baseline"].map(speeds[0]))
    return measured[["arm", "round"]].assign(log_ratio=ratio.astype(float)).dropna()


def _speed(quantity: str, where: str, log_ratios: pd.Series, rule: Effect, p_value: float | None) -> Finding:
    slower = hodges_lehmann(-log_ratios.to_numpy())
    verdict, why = verdict_of(slower, rule, p_value)
    n, needed = len(log_ratios), values_needed(rule.level)
    if verdict == "inconclusive":
        half = half_width(slower)
        times = max(needed / n, (half / rule.resolution) ** 2 if half is not None else 1.0)
        why = f"{_rounds(n)}; {max(1, int(np.ceil(n * times)) - n)} more would do"
    ends = [None if end is None else float(np.expm1(-end)) for end in (slower.high, slower.low)]
    change = float(np.expm1(-slower.estimate))
    return Finding(quantity, where, verdict, _rounds(n), "share", change, ends[0], ends[1], rule.minimum, why)


def _rounds(n: int) -> str:
    return f"{n} round" if n == 1 else f"{n} rounds"


def _memory(arm: str, phase: str, measure: str, row: pd.Series, rule: Tolerance) -> Finding:
    ours, theirs = float(row[f"{measure}_baseline"]), float(row[f"{measure}_candidate"])
    change = theirs / ours - 1
    verdict: Verdict = "regressed" if change > rule.share else "improved" if change < -rule.share else "pass"
    why = _component(row) if measure == "ledger_peak_bytes" and verdict != "pass" else ""
    detail = f"{phase}, {MEASURES[measure]}"
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


def _speeds(phases: pd.DataFrame, run_ids: pd.Series) -> pd.Series:
    own = phases[(phases["phase"] == "train") & phases["last_stage"] & phases["run_id"].isin(run_ids)]
    return own.set_index("run_id")["tokens_per_second_median"].astype(float)


def _both(baseline: Side, candidate: Side) -> list[tuple[Side, str]]:
    return [(baseline, "baseline"), (candidate, "candidate")]


def _trained_arms(matched: Matched) -> list[str]:
    return [str(arm) for arm in matched.pairs.loc[matched.pairs["method"] != "base", "arm"].unique()]
