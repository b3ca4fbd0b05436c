#!/usr/bin/python3
"""Refits the shipped formula from its own sweep, and judges it on points it has not seen.

usage: formula_check.py DIR ERA, where reports/formula.sh left its files in DIR."""
import json
import math
import subprocess
import sys

folder, era = sys.argv[1:3]
shipped = json.load(open(f"src/cost/fit/formulas/aws-{era}.json"))
fitted = json.load(open(f"{folder}/formula-{era}.json"))
bad = 0


def complain(text):
    global bad
    bad += 1
    print(text)


def close(a, b):
    # exp and log of two C libraries may differ in the last digit.
    return a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-12))


lines = {line["line"]: line for line in fitted["lines"]}
if set(lines) != {line["line"] for line in shipped["lines"]}:
    complain("the shipped formula has other lines than its sweep gives")
for line in shipped["lines"]:
    again = {t["term"]: t["coefficient"] for t in lines.get(line["line"], {"terms": []})["terms"]}
    for term in line["terms"]:
        if not close(term["coefficient"], again.get(term["term"])):
            complain(f"{line['line']} {term['term']}: shipped {term['coefficient']}, "
                     f"refitted {again.get(term['term'])}")
if fitted["source"]["model_hash"] != shipped["source"]["model_hash"]:
    complain("the model's parameters have changed since the formula was fitted: make formulas")

check = json.loads(subprocess.run(
    ["bin/jobqcost", "fit", "--formula", f"src/cost/fit/formulas/aws-{era}.json", "--check",
     f"{folder}/check-{era}.csv", "--date", "2026" if era == "2026" else "2012-12", "--json"],
    check=True, capture_output=True, text=True).stdout)
print(f"{era}: {check['points']} fresh points, error median {check['error_median']:.4f}, "
      f"95th {check['error_p95']:.4f}, covered {check['covered']:.3f}, "
      f"narrower than 15 %: {check['narrow']:.3f}")
if check["error_median"] > 0.01:
    complain("median error above 1 %")
if check["error_p95"] > 0.08:
    complain("95th percentile above 8 %")
if check["narrow"] < 0.9:
    complain("fewer than 9 of 10 intervals are narrower than 15 %")
# In 2012 whole hours were billed: most runs cost the same to the cent whatever the details,
# and an interval of any width holds them.
if not 0.92 <= check["covered"] <= (0.99 if era == "2026" else 1):
    complain("coverage outside 92 to 99 %")
sys.exit(1 if bad else 0)
