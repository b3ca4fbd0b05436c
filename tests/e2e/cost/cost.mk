# cost.mk - `make check-cost-cli`: jobqcost from the command line.
.PHONY: check-cost-cli
check-cost-cli: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/cost_cli.sh bin/jobqcost
CHECKS += check-cost-cli

# The closed form against the simulator.
.PHONY: check-cost-sim
check-cost-sim: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/cost_sim.sh
CHECKS += check-cost-sim

# The same with rows in DynamoDB, and with fewer of them.
.PHONY: check-cost-rows
check-cost-rows: bin/jobqcost bin/jobqsim
	@bash tests/e2e/cost/cost_rows.sh
CHECKS += check-cost-rows

# Dollars a job: the closed form against a sweep, over the domain, before any fit.
$(BUILD)/tests/e2e/cost/cost_points: $(BUILD)/tests/e2e/cost/cost_points.o $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< $(TESTLIB) $(LIBS_ALL)
.PHONY: check-cost-points
check-cost-points: bin/jobqsim $(BUILD)/tests/e2e/cost/cost_points
	@bash tests/e2e/cost/cost_points.sh $(BUILD)/tests/e2e/cost/cost_points
CHECKS += check-cost-points
