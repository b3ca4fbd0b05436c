# tests/contract/contract.mk - one suite of the ports' promises, run in both worlds.
CONTRACT := $(addprefix $(BUILD)/tests/contract/,contract.o contract_queue.o contract_store.o \
	contract_fleet.o contract_house.o)
$(BUILD)/tests/contract/contract_sim: $(BUILD)/tests/contract/contract_sim.o $(CONTRACT) $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)
$(BUILD)/tests/contract/contract_live: $(BUILD)/tests/contract/contract_live.o $(CONTRACT) \
		$(BUILD)/liblive.a $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIB_LIVE) $(LIBS_ALL)

.PHONY: contract-sim contract-live live-check
contract-sim: $(BUILD)/tests/contract/contract_sim
	@$<
contract-live: $(BUILD)/tests/contract/contract_live bin/jobqmock
	@/usr/bin/python3 tests/contract/contract_mock.py $<
CHECKS += contract-sim contract-live
## make live-check BUDGET=0.05  the contract suites on the account or endpoint of the environment
BUDGET ?= 0.05
live-check: $(BUILD)/tests/contract/contract_live
	@$< --budget $(BUDGET)
