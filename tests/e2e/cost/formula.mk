# The shipped formulas: made by `make formulas`, refitted and judged by check-formula.
FORMULA_DIR := build/formula

.PHONY: formulas check-formula
formulas: bin/jobqsim bin/jobqcost
	@rm -rf $(FORMULA_DIR)
	@for era in 2026 2012; do reports/formula.sh $$era $(FORMULA_DIR) >$(FORMULA_DIR).$$era.txt && \
	cp $(FORMULA_DIR)/formula-$$era.json src/cost/fit/formulas/aws-$$era.json || exit 1; \
	tail -3 $(FORMULA_DIR).$$era.txt; done
check-formula: bin/jobqsim bin/jobqcost
	@rm -rf $(FORMULA_DIR)
	@for era in 2026 2012; do reports/formula.sh $$era $(FORMULA_DIR) >/dev/null && \
	tests/e2e/cost/formula_check.py $(FORMULA_DIR) $$era || exit 1; done
CHECKS += check-formula
