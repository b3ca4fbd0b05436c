#!/usr/bin/python3
"""What the assumed parameters of a model move.

usage: assumed.py MODEL DIR [jobqsim option...]

Halves and doubles each parameter whose status is 'assumed' (models/params/MODEL.ini), but
for DynamoDB's, which no fleet uses yet. It simulates the scenario with each, and writes
DIR/assumed.csv: the swing of dollars and of the 95th percentile of the sojourn time, as
shares. Yes/no parameters are flipped; those that are 0 or cannot be scaled are tried at one
value given here."""
import csv
import re
import subprocess
import sys

model, folder, options = sys.argv[1], sys.argv[2], sys.argv[3:]
TRY = {"capacity_failure_p": ["0.01", "0.1"], "spot_capacity_failure_p": ["0.01", "0.1"],
       "visible_after": ["1s", "5s"], "counts_window": ["10s", "60s"], "batch_row_writes": ["0.5", "1"]}
NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e-?\d+)?)(?=(ns|us|ms|s|min|h)?(?:[,.\s]|$))")


def scaled(key, value, factor):
    if value in ("yes", "no"):
        return "no" if value == "yes" else "yes"
    if key in ("short_poll_sample", "usage_batch_delete") and factor > 1:
        return "1"
    if ":" in value:
        kind, rest = value.split(":", 1)
        parts = rest.split("..") if kind == "uniform" else rest.split(",")
        out = []
        for part in parts:
            name, sep, number = part.rpartition("=")
            digits, unit = re.fullmatch(r"([\d.]+)(\w*)", number).groups()
            keep = name == "cv"
            out.append(f"{name}{sep}{float(digits) * (1 if keep else factor):g}{unit}")
        return kind + ":" + ("..".join(out) if kind == "uniform" else ",".join(out))
    digits, unit = re.fullmatch(r"([\d.]+(?:e-?\d+)?)(\w*)", value).groups()
    number = float(digits) * factor
    if not unit and "." not in digits and "e" not in digits:
        number = max(1, round(number))
    return (f"{number:.10f}".rstrip("0").rstrip(".") if not unit else f"{number:g}") + unit


section, found = "", []
for line in open(f"models/params/{model}.ini", encoding="utf-8"):
    if line.startswith("["):
        section = line.strip()[1:-1]
    parts = [p.strip() for p in line.split("|")]
    if len(parts) >= 2 and parts[1] == "assumed" and section != "dynamodb":
        key, value = (t.strip() for t in parts[0].split("=", 1))
        low, high = TRY.get(key) or [scaled(key, value, 0.5), scaled(key, value, 2)]
        found.append((section, key, value, low, high))

values = [f"{found[0][0]}.{found[0][1]}={found[0][2]}"]
for section, key, value, low, high in found:
    values += [f"{section}.{key}={low}", f"{section}.{key}={high}"]
sweep = f"{folder}/assumed-sweep.csv"
subprocess.run(["bin/jobqsim", "sweep", "-o", sweep, "--model", model, "--set", ",".join(values),
                *options], check=True)
dollars = list(csv.DictReader(subprocess.run(["bin/jobqcost", "bill", "--sweep", sweep, "--csv", "-q"],
                                             check=True, capture_output=True, text=True).stdout.splitlines()))
rows = list(csv.DictReader(line for line in open(sweep) if not line.startswith("#")))
usd = [float(row["usd_per_million"]) for row in dollars]
p95 = [float(row["sojourn_p95[s]"]) for row in rows]


def swing(series, i):
    return max(abs(series[j] / series[0] - 1) for j in (i, i + 1))


with open(f"{folder}/assumed.csv", "w", encoding="utf-8") as out:
    out.write("param,status,value,low,high,usd_swing,p95_swing\n")
    for n, (section, key, value, low, high) in enumerate(found):
        i = 1 + 2 * n
        cells = [f"{section}.{key}", "assumed", value, low, high, f"{swing(usd, i):.6f}",
                 f"{swing(p95, i):.6f}"]
        out.write(",".join(c.replace(",", ";") for c in cells) + "\n")
