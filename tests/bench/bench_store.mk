# bench_store.mk - `make bench-store`: CPU of a simulated job with DynamoDB beside SimpleDB's.
# STORE_ROUNDS=n takes medians of n.
STORE_ROUNDS ?= 5

.PHONY: bench-store
bench-store: bin/jobqsim
	@tests/bench/bench_store.py $(STORE_ROUNDS)
BENCHES += bench-store
