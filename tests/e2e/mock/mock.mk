# tests/e2e/mock/mock.mk - jobqmock held to clients that others wrote: Debian's boto3, boto 2
# and awscli (Query), and npm's (JSON; SimpleDB).
.PHONY: check-mock check-mock-npm check-mock-kill check-mock-slow check-mock-full \
	check-mock-soak check-mock-soak-asan
check-mock: bin/jobqmock
	@tests/e2e/mock/mock_check.sh mock_sqs.py mock_sqs_more.py \
		mock_sdb.py mock_sdb_more.py mock_dynamodb.py mock_ec2.py mock_boxes.py mock_control.py \
		mock_edges.py mock_start.py mock_state.py mock_query.py mock_boto2.py \
		mock_fleet.py
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_auth.py Checked
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_kill.py 3
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_full.py 300
check-mock-npm: bin/jobqmock
	@tests/e2e/npm.sh
	@/usr/bin/python3 tests/e2e/mock/mock_clients.py
CHECKS += check-mock check-mock-npm

# awscli takes seconds to start, each time.
.PHONY: check-mock-cli
check-mock-cli: bin/jobqmock
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_auth.py CommandLine
CHECKS += check-mock-cli

CHECKS_SLOW += check-mock-kill check-mock-slow check-mock-full check-mock-soak \
	check-mock-soak-asan
# --state killed fifty times; half a minute of clients that
# trickle (tests/unit/net/test_http_server.c does it with shorter limits); thousands that hold what
# they can.
check-mock-kill: bin/jobqmock
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_kill.py 50
check-mock-slow: bin/jobqmock
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_slow.py
check-mock-full: bin/jobqmock
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_full.py 3000
# Also slow: mixed load, faults, disconnects and malformed requests for SOAK_SECONDS
# (SOAK_STATE=1: with --state); and the same with the sanitizers, which also tell what was not given back at the end.
SOAK_SECONDS ?= 30
check-mock-soak: bin/jobqmock
	@/usr/bin/python3 -W ignore tests/e2e/mock/mock_soak.py $(SOAK_SECONDS)
check-mock-soak-asan:
	@$(call variant,asan) build/asan/jobqmock
	@JOBQMOCK=build/asan/jobqmock /usr/bin/python3 -W ignore tests/e2e/mock/mock_soak.py \
		$(SOAK_SECONDS)
$(BUILD)/jobqmock: $(JOBQMOCK) $(MOCK) $(MODELS) $(PRICING) $(COST) $(SCENARIO) \
		$(NET) $(WIRE) $(BASE)
	$(link) $(LIB_MOCK) $(LIB_NET) $(LIB_COST) $(LIB_WIRE) $(LIB_BASE)
