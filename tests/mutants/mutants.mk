# mutants.mk - programs that are broken on purpose, which torture must find.
.PHONY: mutants check-mutants
run_mutants = MUTANT_CC="$(CC) $(FLAGS) $(CFLAGS)" MUTANT_LINK="$(CC) $(LDFLAGS)" \
	MUTANT_OBJECTS="$(JOBQSIM_OBJECTS)" MUTANT_LIBS="$(JOBQSIM_LIBS)" MUTANT_BUILD="$(BUILD)" \
	tests/mutants/mutants.py
## make mutants [MUTANTS="NAME..."]  builds each, and counts the seeds until torture finds it;
##                 RECORD=1 keeps a small failing run of each in tests/corpus/torture
mutants: bin/jobqsim
	@$(run_mutants) $(if $(RECORD),--record) $(MUTANTS)
CHECKS_SLOW += mutants
check-mutants: bin/jobqsim
	@$(run_mutants) --check --starts 1
CHECKS += check-mutants
# Runs that failed once, on a program that is sound.
.PHONY: check-corpus
check-corpus: bin/jobqsim
	@tests/mutants/mutants.py --corpus bin/jobqsim
CHECKS += check-corpus
