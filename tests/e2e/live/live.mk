# tests/e2e/live/live.mk - jobq as people run it, against jobqmock.
.PHONY: live-library live-fleet live-stop
live-library: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_library.py $(BUILD)
live-fleet: all
	@/usr/bin/python3 tests/e2e/live/live_fleet.py
CHECKS += live-library live-fleet
.PHONY: live-autoscale
live-autoscale: all $(BUILD)/tests/e2e/live/scale_replay
	@/usr/bin/python3 tests/e2e/live/live_autoscale.py $(BUILD)
CHECKS += live-autoscale
$(BUILD)/tests/e2e/live/scale_replay: $(BUILD)/tests/e2e/live/scale_replay.o $(TESTLIB)
	@echo "LINK $@"; $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)
.PHONY: live-options
live-options: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_options.py $(BUILD)
CHECKS += live-options
.PHONY: live-image
live-image: all
	@tests/e2e/live/live_image.sh
CHECKS += live-image
.PHONY: live-box image-test
live-box: all
	@/usr/bin/python3 tests/e2e/live/live_box.py
CHECKS += live-box
# Slow, and one check because all of it stands on the same packages.
## make image-test  packages held to lintian; the OCI image's program; a machine that boots, drains and leaves
image-test: oci all
	@/usr/bin/python3 tests/e2e/live/live_oci.py build/oci $(VERSION)
	@tests/e2e/live/boot_image.sh build/deb $(VERSION) build/boot
	@/usr/bin/python3 tests/e2e/live/live_boot.py build/boot
CHECKS_SLOW += image-test
.PHONY: live-ledger
live-ledger: all
	@/usr/bin/python3 tests/e2e/live/live_ledger.py
live-stop: all
	@/usr/bin/python3 tests/e2e/live/live_stop.py
CHECKS += live-ledger live-stop
.PHONY: live-dynamodb
live-dynamodb: all
	@/usr/bin/python3 tests/e2e/live/live_dynamodb.py
CHECKS += live-dynamodb
.PHONY: live-refusals
live-refusals: all
	@/usr/bin/python3 tests/e2e/live/live_refusals.py
CHECKS += live-refusals
.PHONY: live-hostile
live-hostile: all
	@/usr/bin/python3 tests/e2e/live/live_hostile.py
CHECKS += live-hostile
# Servers that others wrote. npm puts fauxqs there; moto is used where the machine has it.
.PHONY: live-fauxqs live-moto
live-fauxqs: all
	@tests/e2e/npm.sh
	@/usr/bin/python3 tests/e2e/live/live_others.py fauxqs
live-moto: all
	@/usr/bin/python3 tests/e2e/live/live_others.py moto
CHECKS += live-fauxqs live-moto
.PHONY: check-install
check-install: all libjobq
	@MAKE="$(MAKE)" CC="$(CC)" tests/e2e/install.sh
CHECKS += check-install
.PHONY: live-sim live-soak soak-receives
live-sim: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_sim.py $(BUILD)
live-soak: all
	@/usr/bin/python3 tests/e2e/live/live_soak.py 50000
CHECKS += live-sim live-soak
## make soak-receives RECEIVES=1000000  empty receives: memory and descriptors stay flat
RECEIVES ?= 1000000
soak-receives: all
	@/usr/bin/python3 tests/e2e/live/live_soak.py $(RECEIVES)
.PHONY: live-bill live-bill-full
live-bill: all
	@/usr/bin/python3 tests/e2e/live/live_bill.py short
live-bill-full: all
	@/usr/bin/python3 tests/e2e/live/live_bill.py full
CHECKS += live-bill
.PHONY: live-dollar
live-dollar: all
	@/usr/bin/python3 tests/e2e/live/live_dollar.py
CHECKS += live-dollar
CHECKS_SLOW += live-bill-full
.PHONY: live-calibrate
live-calibrate: all
	@/usr/bin/python3 tests/e2e/live/live_calibrate.py
CHECKS_SLOW += live-calibrate
.PHONY: live-service
live-service: all
	@/usr/bin/python3 tests/e2e/live/live_service.py
CHECKS += live-service
.PHONY: live-progress
live-progress: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_progress.py $(BUILD)
CHECKS += live-progress
.PHONY: live-queues
live-queues: all
	@/usr/bin/python3 tests/e2e/live/live_queues.py
CHECKS += live-queues
.PHONY: live-python-jobs live-hooks
live-python-jobs: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_python_jobs.py $(BUILD)
live-hooks: all
	@/usr/bin/python3 tests/e2e/live/live_hooks.py
CHECKS += live-python-jobs live-hooks
.PHONY: live-cli
live-cli: all
	@/usr/bin/python3 tests/e2e/live/live_cli.py
CHECKS += live-cli
.PHONY: live-page
live-page: all
	@/usr/bin/python3 tests/e2e/live/live_page.py
CHECKS += live-page
.PHONY: live-top
live-top: all
	@/usr/bin/python3 tests/e2e/live/live_top.py
CHECKS += live-top
.PHONY: live-wsgi
live-wsgi: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_wsgi.py $(BUILD)
CHECKS += live-wsgi
.PHONY: live-doctor
live-doctor: all
	@/usr/bin/python3 tests/e2e/live/live_doctor.py
CHECKS += live-doctor
.PHONY: live-secrets check-live-asan check-live-valgrind
live-secrets: all
	@/usr/bin/python3 tests/e2e/live/live_secrets.py
# Every subcommand once, built with the sanitizers; enqueue, drain and status under valgrind.
check-live-asan: all
	@$(call variant,asan) live-program
	@/usr/bin/python3 tests/e2e/live/live_sanitized.py build/asan/program/jobq
check-live-valgrind: all
	@command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
	@/usr/bin/python3 tests/e2e/live/live_sanitized.py --valgrind bin/jobq
CHECKS += live-secrets check-live-asan check-live-valgrind
# Threads watched by ThreadSanitizer: an application's on libjobq, a drain's primes.
.PHONY: check-live-tsan
check-live-tsan: all
	@$(call variant,tsan) live-tsan-programs
	@/usr/bin/python3 tests/e2e/live/live_tsan.py build/tsan
CHECKS += check-live-tsan
.PHONY: live-dump
live-dump: all libjobq
	@/usr/bin/python3 tests/e2e/live/live_dump.py $(BUILD)
CHECKS += live-dump
.PHONY: live-house
live-house: all
	@/usr/bin/python3 tests/e2e/live/live_house.py
CHECKS += live-house
# 400 days of a queue's life, by jobqmock's clock and libfaketime's.
.PHONY: live-years
live-years: all
	@/usr/bin/python3 tests/e2e/live/live_years.py 400
CHECKS += live-years
# The page's actions and jobq's: with and without the token, on boxes that are processes.
.PHONY: live-actions
live-actions: all
	@/usr/bin/python3 tests/e2e/live/live_actions.py
CHECKS_SLOW += live-actions
