# report.mk - `make check-report`: jobqcost report, its page, pictures and data.
.PHONY: check-report
check-report: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/report.sh
CHECKS += check-report
