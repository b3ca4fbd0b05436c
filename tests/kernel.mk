# kernel.mk - fibers and virtual time in every build that they have code of their own for.
#
#   make check-fibers    the ucontext build of the fiber and kernel tests
#   make check-asan      every unit test and the shortest simulation under ASan and UBSan
#   make check-asan-all  all simulations too
#   make check-clang     every room built by clang with -Werror, and its unit tests
#   make check-valgrind  the fiber and kernel tests under valgrind
#   make check-valgrind-all  every unit test under valgrind
#   make check-sim-tsan  jobqsim's threads under ThreadSanitizer (check-live-tsan: libjobq's)
#   make check-arm       the fiber, kernel and fleet tests for aarch64 (Graviton boxes are the
#                        cheapest a job), cross-built and run under qemu's user mode
#
# Nothing of arm64 is needed but the cross compiler and its libc: tests/arm/ stands in for
# cmocka, inih and GSL. A test of ARM_TESTS is linked with the rooms in ARM_ROOMS, of which only
# what it uses is compiled in; it may not use a library.
KERNEL_TESTS := fiber/test_fiber sim/test_kernel sim/test_theory
KERNEL_OBJS  := $(FIBER) $(BASE) $(call room,sim/kernel)
ARM_CC       := aarch64-linux-gnu-gcc
ARM_RUN      ?= qemu-aarch64 -L /usr/aarch64-linux-gnu
CHECKS       += check-fibers check-asan check-sim-tsan check-clang check-valgrind check-arm
CHECKS_SLOW  += check-asan-all check-valgrind-all

.PHONY: check-fibers check-asan check-asan-all check-clang check-valgrind check-valgrind-all check-arm
.PHONY: check-sim-tsan sim-tsan-programs kernel-run unit-run arm-run objects
check-fibers:
	@$(call variant,ucontext) kernel-run
# The long simulations are left to check-asan-all.
check-asan:
	@$(call variant,asan) unit-run sim-cost
check-asan-all:
	@$(call variant,asan) unit-run $(subst _,-,$(SIM_PROGRAMS))
check-sim-tsan:
	@$(call variant,tsan) sim-tsan-programs
	@/usr/bin/python3 tests/e2e/sim_tsan.py build/tsan/program/jobqsim build/tsan/kernel/sim/test_kernel
sim-tsan-programs: $(BUILD)/program/jobqsim $(BUILD)/kernel/sim/test_kernel
$(BUILD)/program/jobqsim: $(JOBQSIM) $(SIM) $(SCENARIO) $(FLEET) $(MODELS) $(COST) $(PRICING) \
		$(WIRE) $(FIBER) $(BASE)
	$(link) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE) -lpthread
# No program is linked: bin/ is the dev build's.
check-clang:
	@command -v clang >/dev/null || { echo "clang is not installed"; exit 77; }
	@$(call variant,clang) objects unit-run
check-valgrind: $(KERNEL_TESTS:%=$(BUILD)/kernel/%)
	@$(valgrind-each)
# Not the commands' keeper: it learns by the memory that it shares with its child (vfork) why a
# program cannot be executed, and valgrind shares none. check-live-valgrind has its jobs.
check-valgrind-all: $(filter-out %/live/test_command,$(UNIT))
	@$(valgrind-each)
valgrind-each = command -v valgrind >/dev/null || \
		{ echo "valgrind is not installed"; exit 77; }; \
	bad=; for t in $^; do echo "== valgrind $$t"; \
		valgrind -q --error-exitcode=9 --leak-check=full $$t || bad="$$bad $$t"; done; \
	[ -z "$$bad" ] || { echo "not clean:$$bad"; exit 1; }
check-arm:
	@for p in $(ARM_CC) $(firstword $(ARM_RUN)); do command -v $$p >/dev/null || \
		{ echo "$$p is not installed"; exit 77; }; done
	@$(call variant,arm) arm-run

UNIT_RUNS := $(UNIT:%=%.run)
.PHONY: $(UNIT_RUNS)
unit-run: $(UNIT_RUNS)
$(UNIT_RUNS): %.run: %
	@echo "== $<"; $<
objects: $(LIVE) $(MOCK) $(SIM) $(SCENARIO) $(FLEET) $(COST) $(MODELS) $(PRICING) $(NET) $(WIRE) $(BASE) \
		$(JOBQSIM) $(JOBQCOST) $(JOBQ) $(JOBQMOCK)
kernel-run: $(KERNEL_TESTS:%=$(BUILD)/kernel/%)
	@for t in $^; do echo "== $$t"; $$t || exit 1; done
$(BUILD)/libkernel.a: $(KERNEL_OBJS)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/kernel/%: $(BUILD)/tests/unit/%.o $(BUILD)/libkernel.a
	@mkdir -p $(@D); echo "LINK $@"; \
		$(CC) $(LDFLAGS) -o $@ $^ $(LIB_COST) $(LIB_BASE) $(LIB_TEST) -lpthread

ifeq ($(VARIANT),arm)
ARM_TESTS := $(KERNEL_TESTS) fleet/test_job fleet/test_drainer fleet/test_enqueuer fleet/test_status
ARM_ROOMS := $(KERNEL_OBJS) $(FLEET) $(MODELS) $(call room,sim/world) \
	$(addprefix $(BUILD)/src/wire/,http/wire_bytes.o text/emit.o text/query.o text/table_word.o \
	sqs/sqs_bodies.o simpledb/sdb_rows.o dynamodb/ddb_bodies.o) $(BUILD)/tests/unit/fleet/stage.o \
	$(addprefix $(BUILD)/tests/arm/,ini.o gsl.o tree.o)
FLAGS     += -Itests/arm -DTEST_SLOW_MACHINE -DTEST_NO_JANSSON
arm-run: $(ARM_TESTS:%=$(BUILD)/arm/%)
	@for t in $^; do echo "== $$t"; $(ARM_RUN) $$t || exit 1; done
	@echo "SKIP on arm: what jansson makes of the page's JSON, in test_status"
$(BUILD)/libarm.a: $(ARM_ROOMS)
	@mkdir -p $(@D); rm -f $@; aarch64-linux-gnu-ar rcs $@ $^
$(BUILD)/arm/%: $(BUILD)/tests/unit/%.o $(BUILD)/libarm.a
	@mkdir -p $(@D); echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ -lm -lpthread
endif
