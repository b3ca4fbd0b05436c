# bench_fleet.mk - `make bench-fleet`: jobs a second of the whole simulated fleet, and bytes a
# queued job. FLEET_ROUNDS=n takes medians of n.
FLEET_ROUNDS ?= 3

.PHONY: bench-fleet
bench-fleet: $(BUILD)/tests/bench/bench_fleet
	$< $(FLEET_ROUNDS)
BENCHES += bench-fleet

$(BUILD)/tests/bench/bench_fleet: $(BUILD)/tests/bench/bench_fleet.o $(TESTLIB)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< $(TESTLIB) $(LIBS_ALL)
