# select.mk - `make fuzz-select`: libFuzzer with the sanitizers where clang has it, else the
# driver's own changes of its seeds. `make check` runs the latter for two seconds.
FUZZ_SECONDS ?= 20

.PHONY: fuzz-select check-fuzz-select
$(BUILD)/tests/fuzz/fuzz_select: $(BUILD)/tests/fuzz/fuzz_select.o $(MODELS) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_GSL) $(LIB_BASE)

check-fuzz-select: $(BUILD)/tests/fuzz/fuzz_select
	$< -t 2
CHECKS += check-fuzz-select

FUZZ_SELECT_SRC := tests/fuzz/fuzz_select.c $(call sources,models) $(wildcard src/base/*.c)
build/fuzz/fuzz_select: $(FUZZ_SELECT_SRC)
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -DFUZZ_LIBFUZZER -Iinclude -Isrc -I. -o $@ \
		$(FUZZ_SELECT_SRC) $(LIB_GSL) $(LIB_BASE)

fuzz-select: build/fuzz/fuzz_select
	@mkdir -p build/fuzz/select-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=600 -dict=tests/fuzz/select.dict \
		-print_final_stats=1 build/fuzz/select-corpus
FUZZERS += fuzz-select
