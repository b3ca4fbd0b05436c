# tests/e2e/mock.mk - jobqmock held to clients that others wrote.
.PHONY: check-mock
check-mock: bin/jobqmock
	@tests/e2e/mock_check.sh mock_sqs.py mock_sdb.py mock_ec2.py mock_auth.py
CHECKS += check-mock
