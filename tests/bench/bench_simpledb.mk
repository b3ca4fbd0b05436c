# bench_simpledb.mk - `make bench-simpledb`: ns a put and bytes a row of the SimpleDB model.

.PHONY: bench-simpledb
bench-simpledb: $(BUILD)/tests/bench/bench_simpledb
	$< $(ROUNDS)
BENCHES += bench-simpledb

$(BUILD)/tests/bench/bench_simpledb: $(BUILD)/tests/bench/bench_simpledb.o $(MODELS) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_GSL) $(LIB_BASE)
