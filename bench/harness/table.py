# SPDX-License-Identifier: Apache-2.0
"""Samples, goals, and the table they end in. Only ratios of medians are judged."""
from dataclasses import dataclass, field
from statistics import median

OURS = "Berth"


@dataclass
class Goal:
    """What OURS must reach: `sign` is ">=" or "<="; `factor` times the median of `against`.

    Without `against` the factor is the limit itself, in the measure's unit.
    """

    sign: str
    factor: float
    against: str = ""


@dataclass
class Measure:
    """One line of work: what each participant needed or reached, round by round."""

    work: str
    unit: str
    samples: dict
    goals: list = field(default_factory=list)
    note: str = ""

    def reached(self, goal):
        limit = goal.factor
        if goal.against:
            limit *= median(self.samples[goal.against])
        ours = median(self.samples[OURS])
        return ours >= limit if goal.sign == ">=" else ours <= limit


def number(value):
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def spread(samples):
    if len(samples) == 1:
        return number(samples[0])
    return f"{number(median(samples))} ({number(min(samples))}–{number(max(samples))})"


def _line(measure, first, against, goal):
    ours = measure.samples[OURS]
    cells = [measure.work, f"{spread(ours)} {measure.unit}"] if first else ["", ""]
    if against:
        theirs = measure.samples[against]
        cells += [against, spread(theirs), number(median(ours) / median(theirs))]
    elif goal:
        cells += ["limit", f"{number(goal.factor)}", number(median(ours) / goal.factor)]
    else:
        cells += ["", "", ""]
    if not goal:
        return cells + ["", ""]
    factor = number(goal.factor) if goal.against else "1"
    sign = "≥" if goal.sign == ">=" else "≤"
    return cells + [f"{sign} {factor}", "yes" if measure.reached(goal) else "**no**"]


def _lines(measure):
    goals = {goal.against: goal for goal in measure.goals}
    others = [name for name in measure.samples if name != OURS]
    pairs = [(name, goals.get(name)) for name in others]
    pairs = [pair for pair in pairs if pair[1]] + [pair for pair in pairs if not pair[1]]
    if "" in goals:
        pairs.insert(0, ("", goals[""]))
    if not pairs:
        pairs = [("", None)]
    lines = [_line(measure, i == 0, name, goal) for i, (name, goal) in enumerate(pairs)]
    if measure.note:
        lines[0][0] += f" <br><sub>{measure.note}</sub>"
    return lines


def markdown(measures):
    head = ["work", "Berth: median (min–max)", "against", "median (min–max)", "Berth ÷ it", "goal", "reached"]
    rows = [head, ["---", "---:", "---", "---:", "---:", "---:", "---"]]
    for measure in measures:
        rows += _lines(measure)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def missed(measures):
    return [
        f"{measure.work}: {spread(measure.samples[OURS])} {measure.unit}, goal {goal.sign} {number(goal.factor)} {goal.against}"
        for measure in measures
        for goal in measure.goals
        if not measure.reached(goal)
    ]
