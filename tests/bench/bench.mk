# bench.mk - `make bench-kernel`: events, timers and switches beside reference loops.
# ROUNDS=n takes medians of n.
ROUNDS ?= 9

.PHONY: bench-kernel
bench-kernel: $(BUILD)/tests/bench/bench_kernel
	$< $(ROUNDS)
BENCHES += bench-kernel

$(BUILD)/tests/bench/%.o: FLAGS += -Itests/bench
$(BUILD)/tests/bench/bench_kernel: $(BUILD)/tests/bench/bench_kernel.o $(BUILD)/libkernel.a
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_BASE) -lpthread
