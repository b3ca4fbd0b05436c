# tests/e2e/mock.mk - jobqmock held to clients that others wrote: Debian's boto3 and
# awscli (Query), and npm's (JSON; SimpleDB).
.PHONY: check-mock check-mock-npm
check-mock: bin/jobqmock
	@tests/e2e/mock_check.sh mock_sqs.py mock_sdb.py mock_ec2.py mock_auth.py
check-mock-npm: bin/jobqmock
	@tests/e2e/npm.sh
	@/usr/bin/python3 tests/e2e/mock_clients.py
CHECKS += check-mock check-mock-npm
