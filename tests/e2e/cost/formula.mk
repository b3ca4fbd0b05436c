# The shipped formulas: made by `make formulas` (interrupted, it goes on where it was; rm -r
# build/formula to begin again), refitted from their own sweep and judged by check-formula.
FORMULA_DIR := build/formula

.PHONY: formulas check-formula
formulas: bin/jobqsim bin/jobqcost
	@mkdir -p $(FORMULA_DIR)
	@for era in 2026 2012; do reports/formula.sh $$era $(FORMULA_DIR) >$(FORMULA_DIR).$$era.txt && \
	cp $(FORMULA_DIR)/formula-$$era.json src/cost/fit/formulas/aws-$$era.json || exit 1; \
	tail -3 $(FORMULA_DIR).$$era.txt; done
check-formula: bin/jobqsim bin/jobqcost
	@rm -rf $(FORMULA_DIR)
	@for era in 2026 2012; do reports/formula.sh $$era $(FORMULA_DIR) >/dev/null && \
	tests/e2e/cost/formula_check.py $(FORMULA_DIR) $$era || exit 1; done
CHECKS_SLOW += check-formula

# `make fit-check POINTS=300 SEED=7`: how far closed form and shipped formula are from fresh points
# of the whole domain: POINTS of each model, drawn by SEED, and what the worst have in common. The
# simulated points stay in build/fit-check.
POINTS ?= 150
SEED   ?= 1
.PHONY: fit-check
fit-check: bin/jobqsim bin/jobqcost
	@mkdir -p build/fit-check
	@for model in aws-2026 aws-2012; do \
	csv=build/fit-check/$$model-$(POINTS)-$(SEED).csv; \
	[ -e $$csv ] || bin/jobqsim sweep -o $$csv --domain wide --design random:$(POINTS) \
	    --model $$model --seed $(SEED) --control --precision 3% || exit 1; \
	date=2026; [ $$model = aws-2026 ] || date=2012-12; \
	for formula in closed shipped; do echo "== $$model, $$formula"; \
	what="--formula closed"; [ $$formula = closed ] || what="--formula src/cost/fit/formulas/$$model.json"; \
	bin/jobqcost fit -q $$what --check $$csv --date $$date || exit 1; done; done
