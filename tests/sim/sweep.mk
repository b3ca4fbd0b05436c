# A sweep's bytes do not depend on kills, threads or shards.
.PHONY: check-sweep
check-sweep: bin/jobqsim
	@tests/sim/sweep_kill.sh
CHECKS += check-sweep
