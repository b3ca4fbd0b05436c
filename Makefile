# jobq: one Makefile, no recursion. The link lines are the architecture: what a program
# may use is what it is linked with. `make help` lists the targets.

VARIANT ?= dev
BUILD   := build/$(VARIANT)
CC      ?= cc
PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
SOMAJOR := 0
# What the tests in Python share (livelib, mocklib, ...).
export PYTHONPATH := $(CURDIR)/tests/e2e

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef \
	-Wwrite-strings -Wformat=2 -Wcast-qual -Wpointer-arith -Wswitch-enum \
	-Wdouble-promotion -Wimplicit-fallthrough -Wnull-dereference \
	-Wframe-larger-than=8192
ifeq ($(CI),1)
WERROR := -Werror
endif
ifeq ($(CI),true)
WERROR := -Werror
endif

OPT.dev  := -O2 -g
# The red zones are no frame of ours, and under instrumentation gcc no longer sees the ranges
# that -Wformat-truncation goes by; the dev build holds both limits.
OPT.asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined -Wno-frame-larger-than -Wno-format-truncation
OPT.tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread -Wno-frame-larger-than \
	-Wno-format-truncation
OPT.clang := -O2 -g
OPT.deb  := -O2 -g
OPT.ucontext := -O2 -g -DFIBER_UCONTEXT
OPT.arm  := -O2 -g
# Also when CC= is given, of which only ccache remains.
ifeq ($(VARIANT),clang)
override CC := $(filter ccache,$(CC)) clang
endif
ifeq ($(VARIANT),arm)
override CC := $(filter ccache,$(CC)) aarch64-linux-gnu-gcc
endif

STD      := -std=c11 -D_POSIX_C_SOURCE=200809L
# -ffp-contract=off: gcc and clang fuse multiply and add differently; a run must not
# depend on the compiler.
# -fno-tree-slp-vectorize: gcc 12 joins two words that were just stored one by one into one
# load of 16 bytes, which waits until both stores have left the store buffer (M/M/1 on
# fibers: 2.10 times the loop by hand with it, 1.93 without).
FLAGS    := $(STD) $(WARN) $(WERROR) $(OPT.$(VARIANT)) -ffp-contract=off \
	-fno-tree-slp-vectorize -fPIC \
	-fvisibility=hidden -MMD -MP -Iinclude -Isrc -I. \
	-DJOBQ_VERSION='"$(VERSION)"'
LDFLAGS  += $(filter -fsanitize% -fno-sanitize%,$(OPT.$(VARIANT)))

# ---- libraries, by who may use them ------------------------------------------------
XML_CFLAGS   := $(shell pkg-config --cflags libxml-2.0 2>/dev/null)
LIB_BASE     := -linih -lm
LIB_GSL      := -lgsl -lgslcblas
LIB_COST     := $(LIB_GSL) -ljansson
LIB_WIRE     := -lcrypto -ljansson -lxml2
LIB_NET      := -levent
LIB_LIVE     := -lcurl -lssl
LIB_MOCK     := -lsqlite3 -lz
LIB_TEST     := -lcmocka

# ---- rooms ---------------------------------------------------------------------------
# A room is a folder and the folders in it, without its programs (cmd/).
sources = $(sort $(wildcard $(1)/*.[cS] $(1)/*/*.[cS]))
objects = $(patsubst %,$(BUILD)/%.o,$(basename $(1)))
room = $(call objects,$(filter-out $(1)/cmd/%,$(call sources,$(1))))
# What needs GSL is linked with whoever uses it.
DISTRIBUTION := $(addprefix $(BUILD)/src/base/,distribution.o distribution_text.o)
BASE    := $(filter-out $(DISTRIBUTION),$(call room,src/base))
FIBER   := $(call room,src/fiber)
WIRE    := $(call room,src/wire)
NET     := $(call room,src/net)
FLEET   := $(call room,src/fleet)
SCENARIO := $(call room,src/scenario) $(DISTRIBUTION)
COST    := $(call room,src/cost)
MODELS  := $(call room,models) $(DISTRIBUTION)
PRICING := $(call room,pricing)
SIM     := $(filter-out $(BUILD)/sim/mock/%,$(call room,sim))
MOCK    := $(call room,sim/mock)
LIVE    := $(call room,live)
JOBQSIM  := $(call objects,$(wildcard sim/cmd/*.[cS]))
JOBQCOST := $(call objects,$(wildcard src/cost/cmd/*.c src/cost/cmd/*/*.c))
JOBQ     := $(call objects,$(wildcard live/cmd/*.[cS]))
JOBQMOCK := $(call objects,$(wildcard sim/mock/cmd/*.[cS]))
include pricing/embed.mk

-include config.mk

PROGRAMS := bin/jobqsim bin/jobqcost bin/jobq bin/jobqmock

.PHONY: all
all: $(PROGRAMS)
.DEFAULT_GOAL := all

# jobqsim: the product over the models in virtual time. No network library but what the
# sizes on the wire need.
JOBQSIM_OBJECTS := $(sort $(JOBQSIM) $(SIM) $(SCENARIO) $(FLEET) $(MODELS) $(COST) \
		$(PRICING) $(WIRE) $(FIBER) $(BASE))
JOBQSIM_LIBS := $(LIB_COST) $(LIB_WIRE) $(LIB_BASE) -lpthread
bin/jobqsim: $(JOBQSIM_OBJECTS)
	$(link) $(JOBQSIM_LIBS)
bin/jobqcost: $(JOBQCOST) $(COST) $(SCENARIO) $(PRICING) $(WIRE) $(BASE)
	$(link) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE)
bin/jobqmock: $(JOBQMOCK) $(MOCK) $(MODELS) $(PRICING) $(COST) $(SCENARIO) \
		$(NET) $(WIRE) $(BASE)
	$(link) $(LIB_MOCK) $(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE)
bin/jobq: $(JOBQ) $(LIVE) $(SCENARIO) $(FLEET) $(COST) $(PRICING) $(NET) $(WIRE) \
		$(FIBER) $(BASE)
	$(link) $(LIB_LIVE) $(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE) -lpthread

link = @mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $(filter %.o,$^)

# _GNU_SOURCE is for the rooms that talk to the kernel.
$(BUILD)/live/%.o $(BUILD)/src/scenario/%.o $(BUILD)/src/net/%.o $(BUILD)/src/fiber/%.o $(BUILD)/sim/mock/%.o \
$(BUILD)/sim/%.o $(BUILD)/tests/%.o: FLAGS += -D_GNU_SOURCE
# Tests run on the main stack.
$(BUILD)/tests/%.o: FLAGS += -Wno-frame-larger-than
$(BUILD)/src/wire/%.o $(BUILD)/live/%.o $(BUILD)/tests/%.o: FLAGS += $(XML_CFLAGS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D); echo "CC   $<"; $(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<
$(BUILD)/%.o: %.S
	@mkdir -p $(@D); echo "AS   $<"; $(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<

# The parameter sets are part of the program (.incbin, which -MMD does not see).
$(BUILD)/models/params/ini.o: $(wildcard models/params/*.ini)

# ---- tests ---------------------------------------------------------------------------
# A unit test is tests/unit/ROOM/test_X.c, linked with everything that has no main and no
# network world. Rooms that need more have a fragment (tests/*/*.mk, tests/e2e/*/*.mk,
# live/*.mk), which adds its targets to CHECKS (part of `make check`), CHECKS_SLOW, BENCHES,
# FUZZERS or INSTALLS. tests/README.md says what each check holds. Checks run side by side:
# what several of them build has a lock ($(variant)) or is a prerequisite, and ports and
# folders are their own.
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT     := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
UNIT_HELP := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(UNIT_SRC),$(wildcard tests/unit/*/*.c)))
LIBS_ALL := $(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE) $(LIB_TEST) -lpthread
TESTLIB  := $(BUILD)/libtest.a
# $(call variant,NAME) TARGETS: another build than this one, by one make at a time.
variant = mkdir -p build; flock build/lock.$(1) \
	$(MAKE) --no-print-directory CI=1 VARIANT=$(1) -j2 -Otarget
CHECKS   := lint
CHECKS_SLOW :=
BENCHES  :=
FUZZERS  :=
INSTALLS := install-programs

$(TESTLIB): $(SIM) $(filter-out %_main.o,$(JOBQSIM)) $(SCENARIO) $(FLEET) $(COST) $(MODELS) $(PRICING) $(NET) $(WIRE) $(FIBER) $(BASE) $(UNIT_HELP)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< $(TESTLIB) $(LIBS_ALL)
# Those of the network world need it and its libraries.
$(BUILD)/tests/unit/live/%: $(BUILD)/tests/unit/live/%.o $(BUILD)/liblive.a $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(BUILD)/liblive.a \
		$(TESTLIB) -Wl,--end-group $(LIB_LIVE) \
		$(LIBS_ALL)

-include $(wildcard tests/*.mk tests/*/*.mk tests/e2e/*/*.mk live/*.mk live/image/*.mk)

.PHONY: deps check check-all check-slow check-slow-all unit lint bench fuzz demo pictures install install-programs clean help
.SECONDARY:

## make            the programs, in bin/
## make deps FOR=check  install the Debian packages that demo, check or check-slow needs
FOR ?= check
deps:
	@tests/deps.sh $(FOR)

## make check      set up, build, and run every test that fits in minutes (tests/README.md)
check:
	@tests/deps.sh check
	@$(MAKE) --no-print-directory check-all
check-all: all $(UNIT)
	@MAKE="$(MAKE)" tests/run_checks.py $(UNIT) $(CHECKS)

## make check-slow  and those that take longer: soaks, all simulations with sanitizers, ...
check-slow:
	@tests/deps.sh check-slow
	@$(MAKE) --no-print-directory check-slow-all
check-slow-all: all $(UNIT)
	@MAKE="$(MAKE)" tests/run_checks.py $(CHECKS_SLOW)

## make unit       the unit tests alone
unit: $(UNIT)
	@MAKE="$(MAKE)" tests/run_checks.py $(UNIT)

## make lint       floors, words, purity, format, and that the lint can fail
lint: $(MODELS) $(PRICING) $(FLEET) $(COST)
	@tests/lint/floors.sh
	@tests/lint/words.sh
	@tests/lint/purity.sh $(BUILD)
	@CC="$(CC)" tests/lint/planted.sh
	@tests/lint/format.sh || [ $$? = 77 ]
	@for c in $(CHECKS) $(CHECKS_SLOW); do grep -q "^| .$$c. | [0-9]* s" tests/README.md || \
		{ echo "tests/README.md has no row of '$$c'"; exit 1; }; done

## make bench      every bench (BENCHES); figures belong in tests/bench/README.md
bench: $(BENCHES)

## make fuzz       every fuzzer for FUZZ_SECONDS (20)
fuzz: $(FUZZERS)

## make demo       set up, then the main job on real input
demo:
	@tests/deps.sh demo
	@mkdir -p build
	@$(MAKE) --no-print-directory -j$$(nproc) bin/jobqsim bin/jobqcost >build/demo.log 2>&1 || \
		{ cat build/demo.log; exit 1; }
	@reports/demo.sh

## make pictures   the README's answer and pictures, of the demo's report and a status page; needs
##                 chromium
pictures: bin/jobq bin/jobqmock bin/jobqcost
	@reports/pictures.py

## make live-demo  a scenario predicted, simulated, run on jobqmock, and reconciled
.PHONY: live-demo
live-demo:
	@tests/deps.sh demo
	@$(MAKE) --no-print-directory $(PROGRAMS)
	@reports/live_demo.sh

## make install    PREFIX= (/usr/local) DESTDIR=
install: all $(INSTALLS)
install-programs: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin

clean:
	rm -rf build bin
help:
	@grep -E '^## ' Makefile | sed 's/^## //'

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
