# report.mk - `make check-report` and `make check-demo`: the report, its pictures and data.
.PHONY: check-report
check-report: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/report.sh
CHECKS += check-report

# The whole demo, as a new user sees it.
.PHONY: check-demo
check-demo: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/demo.sh
CHECKS += check-demo
