# cost.mk - fuzzers of what the money reads: price sheets, AWS offers, formulas and ledgers.
# `make check` runs their own random changes for a moment; `make fuzz-cost` runs libFuzzer
# with the sanitizers, FUZZ_SECONDS each.
FUZZ_COST := fuzz_sheet fuzz_offer fuzz_formula

.PHONY: fuzz-cost check-fuzz-cost
$(BUILD)/tests/fuzz/cost_driver.o $(FUZZ_COST:%=$(BUILD)/tests/fuzz/%.o): FLAGS += -Itests/fuzz
$(FUZZ_COST:%=$(BUILD)/tests/fuzz/%): $(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o \
		$(BUILD)/tests/fuzz/cost_driver.o $(COST) $(SCENARIO) $(PRICING) $(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_COST) \
		$(LIB_WIRE) $(LIB_BASE)

check-fuzz-cost: $(FUZZ_COST:%=$(BUILD)/tests/fuzz/%)
	@for f in $^; do $$f || exit 1; done
CHECKS += check-fuzz-cost

FUZZ_COST_SRC := $(wildcard pricing/*.c src/base/*.c) src/cost/bill/bill.c src/cost/ledger/usage.c \
	$(wildcard src/cost/predict/*.c src/cost/fit/formula*.c) src/cost/fit/basis.c \
	src/cost/ledger/ledger_json.c src/wire/http/wire_bytes.c
build/fuzz/%: tests/fuzz/%.c $(FUZZ_COST_SRC) $(BUILD)/pricing/sheets_embedded.c
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Isrc -I. -Itests/fuzz \
		-DJOBQ_VERSION='"fuzz"' $(XML_CFLAGS) -o $@ $< $(FUZZ_COST_SRC) \
		$(BUILD)/pricing/sheets_embedded.c $(LIB_COST) $(LIB_WIRE) $(LIB_BASE)

fuzz-cost: $(FUZZ_COST:%=build/fuzz/%) $(FUZZ_COST:%=$(BUILD)/tests/fuzz/%)
	@for f in $(FUZZ_COST); do mkdir -p build/fuzz/$$f-corpus; \
		$(BUILD)/tests/fuzz/$$f -d build/fuzz/$$f-corpus || exit 1; \
		build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -max_len=4000 \
			-artifact_prefix=build/fuzz/ build/fuzz/$$f-corpus || exit 1; done
FUZZERS += fuzz-cost
