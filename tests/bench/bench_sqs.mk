# bench_sqs.mk - `make bench-sqs`: ns and bytes a message of the SQS model.

.PHONY: bench-sqs
bench-sqs: $(BUILD)/tests/bench/bench_sqs
	$< $(ROUNDS)
BENCHES += bench-sqs

$(BUILD)/tests/bench/bench_sqs: $(BUILD)/tests/bench/bench_sqs.o $(BUILD)/libtest.a
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_GSL) $(LIB_BASE) -lpthread
