# sim.mk - the simulator's own checks. `make sim-X` runs tests/sim/sim_X.c or sim_X.sh.
SIM_PROGRAMS := $(patsubst tests/sim/%.c,%,$(wildcard tests/sim/sim_*.c))
SIM_SCRIPTS  := $(patsubst tests/sim/%.sh,%,$(wildcard tests/sim/sim_*.sh))
SIM_CHECKS   := $(subst _,-,$(SIM_PROGRAMS) $(SIM_SCRIPTS))

.PHONY: $(SIM_CHECKS)
$(BUILD)/tests/sim/%.o: FLAGS += -Itests/sim
$(BUILD)/tests/sim/sim_%: $(BUILD)/tests/sim/sim_%.o $(BUILD)/tests/sim/oracle.o $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< $(BUILD)/tests/sim/oracle.o $(TESTLIB) $(LIBS_ALL)
$(subst _,-,$(SIM_PROGRAMS)): sim-%: $(BUILD)/tests/sim/sim_%
	@$<
$(subst _,-,$(SIM_SCRIPTS)): sim-%: bin/jobqsim
	@bash tests/sim/sim_$*.sh
CHECKS += $(SIM_CHECKS)
