# mutants.mk - programs that are broken on purpose, which torture must find.
.PHONY: mutants check-mutants
run_mutants = MUTANT_CC="$(CC) $(FLAGS) $(CFLAGS)" MUTANT_LINK="$(CC) $(LDFLAGS)" \
	MUTANT_OBJECTS="$(JOBQSIM_OBJECTS)" MUTANT_LIBS="$(JOBQSIM_LIBS)" MUTANT_BUILD="$(BUILD)" \
	tests/mutants/mutants.py
## make mutants [MUTANTS="NAME..."]  builds each, and counts the seeds until torture finds it
mutants: bin/jobqsim
	@$(run_mutants) $(MUTANTS)
CHECKS_SLOW += mutants
check-mutants: bin/jobqsim
	@$(run_mutants) --check --starts 1
CHECKS += check-mutants
