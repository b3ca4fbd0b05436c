# mock.mk - the fuzzers of what jobqmock reads from strangers: HTTP, JSON and query strings
# (fuzz_mock), signatures (fuzz_auth), and whole requests to a whole mock (fuzz_request).
# `make check` runs random changes of their seeds; `make fuzz-mock fuzz-auth fuzz-request`
# runs libFuzzer with the sanitizers for FUZZ_SECONDS each.
.PHONY: fuzz-mock check-fuzz-mock fuzz-auth check-fuzz-auth
$(BUILD)/tests/fuzz/fuzz_mock.o: FLAGS += -Itests/fuzz
$(BUILD)/tests/fuzz/fuzz_mock: $(BUILD)/tests/fuzz/fuzz_mock.o \
		$(BUILD)/tests/fuzz/cost_driver.o $(NET) $(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_NET) \
		$(LIB_WIRE) $(LIB_BASE)

check-fuzz-mock: $(BUILD)/tests/fuzz/fuzz_mock
	@$<
CHECKS += check-fuzz-mock

FUZZ_MOCK_SRC := tests/fuzz/fuzz_mock.c src/net/http_parse.c src/wire/text/params.c \
	src/wire/text/query.c $(wildcard src/base/*.c)
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
		$(BUILD)/tests/fuzz/cost_driver.o $(BUILD)/sim/mock/server/auth.o \
		$(BUILD)/sim/mock/server/auth_check.o $(BUILD)/src/net/http_parse.o $(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_WIRE) \
		$(LIB_BASE)

check-fuzz-auth: $(BUILD)/tests/fuzz/fuzz_auth
	@$<
CHECKS += check-fuzz-auth

FUZZ_AUTH_SRC := tests/fuzz/fuzz_auth.c sim/mock/server/auth.c sim/mock/server/auth_check.c \
	src/net/http_parse.c $(wildcard src/wire/*/*.c src/base/*.c)
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

REQUEST := fuzz_request request_reply request_seeds
.PHONY: fuzz-request check-fuzz-request
$(REQUEST:%=$(BUILD)/tests/fuzz/%.o): FLAGS += -Itests/fuzz
$(BUILD)/tests/fuzz/fuzz_request: $(REQUEST:%=$(BUILD)/tests/fuzz/%.o) \
		$(BUILD)/tests/fuzz/cost_driver.o $(MOCK) $(MODELS) $(PRICING) $(COST) $(SCENARIO) $(NET) \
		$(WIRE) $(BASE)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB_MOCK) \
		$(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE)

check-fuzz-request: $(BUILD)/tests/fuzz/fuzz_request
	@$< -n 6000
CHECKS += check-fuzz-request

FUZZ_REQUEST_SRC := $(REQUEST:%=tests/fuzz/%.c) $(filter-out %_main.c,$(wildcard \
	sim/mock/*/*.c)) src/cost/bill/bill.c src/cost/ledger/usage.c src/cost/ledger/ledger_json.c $(call sources,models) $(wildcard pricing/*.c src/net/*.c \
	src/wire/*/*.c src/base/*.c) $(BUILD)/pricing/sheets_embedded.c
FUZZ_REQUEST_OBJ := $(patsubst %,build/fuzz/request/%.o,$(FUZZ_REQUEST_SRC))
build/fuzz/request/models/params/ini.S.o: $(wildcard models/params/*.ini)
# Reading the parameter sets, which each run does, is not what is searched.
COVER := fuzzer-no-link,
$(patsubst %,build/fuzz/request/%.o,$(wildcard models/*/params.c) src/base/ini.c): COVER :=
# pointer-overflow would also refuse an empty array's NULL + 0.
build/fuzz/request/%.o: %
	@mkdir -p $(@D); echo "CC   $< (fuzz)"; clang -std=gnu11 -g -O1 -D_GNU_SOURCE \
		-fsanitize=$(COVER)address,undefined,float-cast-overflow \
		-fno-sanitize=pointer-overflow \
		-fno-sanitize-recover=undefined,float-cast-overflow -Iinclude -Isrc -I. \
		-Itests/fuzz -MMD -DJOBQ_VERSION='"fuzz"' $(XML_CFLAGS) -c -o $@ $<
build/fuzz/fuzz_request: $(FUZZ_REQUEST_OBJ)
	clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIB_MOCK) $(LIB_NET) $(LIB_COST) \
		$(LIB_WIRE) $(LIB_BASE)
-include $(FUZZ_REQUEST_OBJ:.o=.d)

fuzz-request: build/fuzz/fuzz_request $(BUILD)/tests/fuzz/fuzz_request
	@mkdir -p build/fuzz/request-corpus
	@$(BUILD)/tests/fuzz/fuzz_request -d build/fuzz/request-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=6000 -len_control=0 -entropic=0 -timeout=20 \
		-artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/request-corpus
FUZZERS += fuzz-request
