# cost.mk - `make check-cost-cli`: jobqcost from the command line.
.PHONY: check-cost-cli
check-cost-cli: bin/jobqcost
	@bash tests/e2e/cost_cli.sh bin/jobqcost
CHECKS += check-cost-cli

# The closed form against the simulator.
.PHONY: check-cost-sim
check-cost-sim: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost_sim.sh
CHECKS += check-cost-sim
