# chaos.mk - real processes under random faults, and an independent reader of what they did.
.PHONY: chaos check-chaos
## make chaos ROUNDS=200 [SEED=N] [STORE=dynamodb] [ROWS=claim]  rounds of seeds N, N+1, ...;
##                 CHAOS_BESIDE=4 side by side. A seed chooses the store and the rows that are not given.
ROUNDS ?= 9
chaos: all
	@STORE=$(STORE) ROWS=$(ROWS) /usr/bin/python3 tests/chaos/chaos.py $(ROUNDS) $(SEED)
CHECKS += check-chaos
check-chaos: all
	@STORE=$(STORE) ROWS=$(ROWS) /usr/bin/python3 tests/chaos/chaos.py 4 $(SEED)
