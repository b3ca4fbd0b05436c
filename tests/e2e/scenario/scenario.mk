# scenario.mk - `make check-settings`: one scenario, one table of settings, in every program.
$(BUILD)/tests/e2e/scenario/settings_list: $(BUILD)/tests/e2e/scenario/settings_list.o $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $< $(TESTLIB) $(LIBS_ALL)
.PHONY: check-settings
check-settings: $(PROGRAMS) libjobq $(BUILD)/tests/e2e/scenario/settings_list
	@python3 tests/e2e/scenario/settings.py $(BUILD)/tests/e2e/scenario/settings_list \
		$(BUILD)/libjobq.so.$(SOMAJOR)
CHECKS += check-settings
