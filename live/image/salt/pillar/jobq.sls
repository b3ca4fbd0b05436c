# The queues that this box drains. Each option of jobq drain may stand here by its name.
jobq:
  region: us-east-1
  queues:
    render:
      idle-exit: 10m
      listen: 127.0.0.1:8080
