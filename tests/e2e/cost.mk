# cost.mk - `make check-cost-cli`: jobqcost from the command line.
.PHONY: check-cost-cli
check-cost-cli: bin/jobqcost
	@bash tests/e2e/cost_cli.sh bin/jobqcost
CHECKS += check-cost-cli
