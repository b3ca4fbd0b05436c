# Makes any Debian box what the machine image is: jobq's package, and a drainer for each queue
# of the pillar. Masterless: live/image/salt is the file root,
#
#   salt-call --local --file-root live/image/salt --pillar-root live/image/salt/pillar state.apply
#
# and live/image/salt/jobq/files holds the packages that `make deb` built.
{%- set jobq = pillar.get('jobq', {}) %}

jobq-packages:
  pkg.installed:
    - sources:
      - libjobq0: salt://jobq/files/libjobq0.deb
      - jobq: salt://jobq/files/jobq.deb

/etc/jobq:
  file.directory:
    - mode: '0755'
{%- for queue, options in jobq.get('queues', {})|dictsort %}

/etc/jobq/{{ queue }}.env:
  file.managed:
    - mode: '0644'
    - require:
      - file: /etc/jobq
    - contents:
      - AWS_REGION={{ jobq['region'] }}
{%- for name, value in options|dictsort %}
      - JOBQ_{{ name|upper|replace('-', '_') }}={{ value }}
{%- endfor %}

jobq-drain@{{ queue }}.service:
  service.running:
    - enable: True
    - require:
      - pkg: jobq-packages
    - watch:
      - file: /etc/jobq/{{ queue }}.env
{%- endfor %}
