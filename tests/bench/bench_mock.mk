# bench_mock.mk - `make bench-mock`: jobqmock's throughput beside an npm emulator's and empty
# handlers'.
.PHONY: bench-mock
$(BUILD)/tests/bench/bench_mock: $(BUILD)/tests/bench/bench_mock.o $(NET) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_NET) $(LIB_BASE)
bench-mock: $(BUILD)/tests/bench/bench_mock bin/jobqmock
	@tests/bench/bench_mock.sh $<
BENCHES += bench-mock
