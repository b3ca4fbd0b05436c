# mock.mk - the fuzzer of what jobqmock reads from strangers. `make check` runs random changes
# of its seeds; `make fuzz-mock` runs libFuzzer with the sanitizers for FUZZ_SECONDS.
.PHONY: fuzz-mock check-fuzz-mock
$(BUILD)/tests/fuzz/fuzz_mock.o: FLAGS += -Itests/fuzz
$(BUILD)/tests/fuzz/fuzz_mock: $(BUILD)/tests/fuzz/fuzz_mock.o \
		$(BUILD)/tests/fuzz/cost_driver.o $(NET) $(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_NET) \
		$(LIB_WIRE) $(LIB_BASE)

check-fuzz-mock: $(BUILD)/tests/fuzz/fuzz_mock
	@$<
CHECKS += check-fuzz-mock

FUZZ_MOCK_SRC := tests/fuzz/fuzz_mock.c src/net/http_parse.c src/wire/tree.c \
	src/wire/query.c $(wildcard src/base/*.c)
build/fuzz/fuzz_mock: $(FUZZ_MOCK_SRC)
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Isrc -I. -Itests/fuzz -o $@ \
		$(FUZZ_MOCK_SRC) -ljansson $(LIB_BASE)

fuzz-mock: build/fuzz/fuzz_mock $(BUILD)/tests/fuzz/fuzz_mock
	@mkdir -p build/fuzz/mock-corpus
	@$(BUILD)/tests/fuzz/fuzz_mock -d build/fuzz/mock-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -artifact_prefix=build/fuzz/ \
		build/fuzz/mock-corpus
FUZZERS += fuzz-mock
