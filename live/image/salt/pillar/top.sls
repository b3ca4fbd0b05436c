base:
  '*':
    - jobq
