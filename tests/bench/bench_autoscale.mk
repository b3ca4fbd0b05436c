# bench_autoscale.mk - `make bench-autoscale`: an autoscaled fleet beside the best fixed ones, on traces.
.PHONY: bench-autoscale
bench-autoscale: bin/jobqsim
	@/usr/bin/python3 tests/bench/bench_autoscale.py $<
BENCHES += bench-autoscale
