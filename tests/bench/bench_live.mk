# bench_live.mk - `make bench-live`: jobq drain beside other people's workers. JOBS=n (20000).
.PHONY: bench-live
bench-live: all tests/bench/live-clients/node_modules
	@/usr/bin/python3 tests/bench/bench_live.py $(JOBS)
BENCHES += bench-live
# Without npm the bench runs without sqs-consumer, and says so.
tests/bench/live-clients/node_modules: tests/bench/live-clients/package.json
	@cd $(@D) && npm install --fetch-retries 0 --silent --no-audit --no-fund || true
