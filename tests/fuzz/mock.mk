# mock.mk - the fuzzers of what jobqmock reads from strangers: HTTP, JSON and query strings
# (fuzz_mock), signatures (fuzz_auth). `make check` runs random changes of their seeds;
# `make fuzz-mock fuzz-auth` runs libFuzzer with the sanitizers for FUZZ_SECONDS each.
.PHONY: fuzz-mock check-fuzz-mock fuzz-auth check-fuzz-auth
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

# Without the server's other files: time stands still at the seeds' signatures.
$(BUILD)/tests/fuzz/fuzz_auth.o: FLAGS += -Itests/fuzz
$(BUILD)/tests/fuzz/fuzz_auth: $(BUILD)/tests/fuzz/fuzz_auth.o \
		$(BUILD)/tests/fuzz/cost_driver.o $(BUILD)/sim/mock/auth.o \
		$(BUILD)/sim/mock/auth_check.o $(BUILD)/src/net/http_parse.o $(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_WIRE) \
		$(LIB_BASE)

check-fuzz-auth: $(BUILD)/tests/fuzz/fuzz_auth
	@$<
CHECKS += check-fuzz-auth

FUZZ_AUTH_SRC := tests/fuzz/fuzz_auth.c sim/mock/auth.c sim/mock/auth_check.c \
	src/net/http_parse.c $(wildcard src/wire/*.c src/base/*.c)
build/fuzz/fuzz_auth: $(FUZZ_AUTH_SRC)
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Isrc -I. -Itests/fuzz \
		-DJOBQ_VERSION='"fuzz"' $(XML_CFLAGS) -o $@ $(FUZZ_AUTH_SRC) $(LIB_WIRE) $(LIB_BASE)

fuzz-auth: build/fuzz/fuzz_auth $(BUILD)/tests/fuzz/fuzz_auth
	@rm -rf build/fuzz/auth-corpus; mkdir -p build/fuzz/auth-corpus
	@$(BUILD)/tests/fuzz/fuzz_auth -d build/fuzz/auth-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=2000 -artifact_prefix=build/fuzz/ \
		-print_final_stats=1 build/fuzz/auth-corpus
FUZZERS += fuzz-auth
