# replies.mk - the fuzzer of what the live client reads from elsewhere: replies, configuration
# files, batch lines, a command's output.
.PHONY: check-fuzz-replies fuzz-replies
$(BUILD)/tests/fuzz/fuzz_replies.o: FLAGS += -Itests/fuzz
$(BUILD)/tests/fuzz/fuzz_replies: $(BUILD)/tests/fuzz/fuzz_replies.o \
		$(BUILD)/tests/fuzz/cost_driver.o $(BUILD)/liblive.a $(TESTLIB)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIVE) $(LIBS_ALL)
check-fuzz-replies: $(BUILD)/tests/fuzz/fuzz_replies
	@$<
CHECKS += check-fuzz-replies

FUZZ_REPLIES_SRC := tests/fuzz/fuzz_replies.c live/work/batchline.c live/work/command.c \
	$(wildcard src/wire/*/*.c src/base/*.c src/net/loop.c) src/fleet/job/job.c src/fleet/job/encoding.c
build/fuzz/fuzz_replies: $(FUZZ_REPLIES_SRC)
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Isrc -I. -Itests/fuzz \
		-DJOBQ_VERSION='"fuzz"' $(XML_CFLAGS) -o $@ $(FUZZ_REPLIES_SRC) $(LIB_NET) \
		$(LIB_WIRE) $(LIB_BASE)
fuzz-replies: build/fuzz/fuzz_replies $(BUILD)/tests/fuzz/fuzz_replies
	@mkdir -p build/fuzz/replies-corpus
	@$(BUILD)/tests/fuzz/fuzz_replies -d build/fuzz/replies-corpus
	build/fuzz/fuzz_replies -max_total_time=$(FUZZ_SECONDS) -max_len=4000 \
		-artifact_prefix=build/fuzz/ build/fuzz/replies-corpus
FUZZERS += fuzz-replies

# Heads of replies and what the metadata services answer; the configuration files.
FUZZ_HEADS_SRC := tests/fuzz/fuzz_heads.c $(wildcard src/wire/*/*.c src/base/*.c)
FUZZ_SETTINGS_SRC := tests/fuzz/fuzz_settings.c live/aws/settings.c live/aws/secret.c src/wire/text/awsconfig.c \
	$(wildcard src/base/*.c)
build/fuzz/fuzz_heads: $(FUZZ_HEADS_SRC)
build/fuzz/fuzz_settings: $(FUZZ_SETTINGS_SRC)
build/fuzz/fuzz_heads build/fuzz/fuzz_settings:
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Iinclude -Isrc -I. -Itests/fuzz \
		-DJOBQ_VERSION='"fuzz"' $(XML_CFLAGS) -o $@ $(filter %.c,$^) $(LIB_WIRE) $(LIB_BASE)

FUZZ_LIVE := heads settings
FUZZ_LIVE_CHECKS := $(FUZZ_LIVE:%=check-fuzz-%)
.PHONY: $(FUZZ_LIVE_CHECKS) $(FUZZ_LIVE:%=fuzz-%)
$(FUZZ_LIVE:%=$(BUILD)/tests/fuzz/fuzz_%.o): FLAGS += -Itests/fuzz
$(FUZZ_LIVE:%=$(BUILD)/tests/fuzz/fuzz_%): $(BUILD)/tests/fuzz/fuzz_%: \
		$(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/cost_driver.o \
		$(BUILD)/liblive.a $(TESTLIB)
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIVE) $(LIBS_ALL)
$(FUZZ_LIVE_CHECKS): check-fuzz-%: $(BUILD)/tests/fuzz/fuzz_%
	@$<
CHECKS += $(FUZZ_LIVE_CHECKS)
$(FUZZ_LIVE:%=fuzz-%): fuzz-%: build/fuzz/fuzz_% $(BUILD)/tests/fuzz/fuzz_%
	@mkdir -p build/fuzz/$*-corpus
	@$(BUILD)/tests/fuzz/fuzz_$* -d build/fuzz/$*-corpus
	build/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -max_len=4000 \
		-artifact_prefix=build/fuzz/ -print_final_stats=1 build/fuzz/$*-corpus
FUZZERS += $(FUZZ_LIVE:%=fuzz-%)
