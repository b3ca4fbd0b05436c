# Sheets, formulas and the report's templates are compiled in: an installed program works
# anywhere.
SHEET_CSV := $(sort $(wildcard pricing/sheets/*.csv))
FORMULA_JSON := $(sort $(wildcard src/cost/fit/formulas/*.json))
REPORT_FILES := $(sort $(wildcard reports/*.gp reports/*.css))
PRICING += $(BUILD)/pricing/sheets_embedded.o
COST += $(BUILD)/src/cost/fit/formulas_embedded.o
JOBQCOST += $(BUILD)/src/cost/cmd/reports_embedded.o

$(BUILD)/pricing/sheets_embedded.c: pricing/embed.sh pricing/sheets $(SHEET_CSV)
	@mkdir -p $(@D); echo "EMBED $@"; \
	sh pricing/embed.sh sheet_file pricing/sheet.h $(SHEET_CSV) >$@.tmp && mv $@.tmp $@
$(BUILD)/src/cost/fit/formulas_embedded.c: pricing/embed.sh src/cost/fit/formulas $(FORMULA_JSON)
	@mkdir -p $(@D); echo "EMBED $@"; \
	sh pricing/embed.sh formula_file cost/fit/formula.h $(FORMULA_JSON) >$@.tmp && mv $@.tmp $@
$(BUILD)/src/cost/cmd/reports_embedded.c: pricing/embed.sh reports $(REPORT_FILES)
	@mkdir -p $(@D); echo "EMBED $@"; \
	sh pricing/embed.sh report_file cost/cmd/report/report.h $(REPORT_FILES) >$@.tmp && mv $@.tmp $@
$(BUILD)/%_embedded.o: $(BUILD)/%_embedded.c
	@echo "CC   $<"; $(CC) $(FLAGS) $(CFLAGS) -c -o $@ $<
