#!/usr/bin/python3
"""What a box is made from, checked without a box: policies, CloudFormation, Packer, Salt.

The policies must allow exactly what the programs were seen to ask of jobqmock, the stack must
carry the same policies, the Salt states must make the files and units that the package has.
usage: live_box.py"""
import glob
import json
import os
import re
import shutil
import subprocess

import jinja2
import yaml

from livelib import JOBQ, Mock, ROOT, check

IMAGE = os.path.join(ROOT, "live/image")
SERVICE = {"sqs": "sqs", "sdb": "simpledb", "ec2": "ec2", "dynamodb": "dynamodb"}


def policy(name):
    with open(os.path.join(IMAGE, "iam", name + ".json")) as file:
        return json.load(file)["Statement"]


def allowed(name):
    found = set()
    for statement in policy(name):
        check(statement["Effect"] == "Allow", name + " denies something")
        actions = statement["Action"]
        found |= set([actions] if isinstance(actions, str) else actions)
    return found


def asked(mock):
    """How often jobqmock was asked for each action, as IAM names them: a batch is its action."""
    prefix = {v: k for k, v in SERVICE.items()}
    found = {}
    for service, action, count in re.findall(
            r'^jobqmock_requests_total\{service="(\w+)",action="(\w+)"\} (\d+)', mock.get("/metrics"), re.M):
        if service in prefix:
            name = prefix[service] + ":" + (re.sub("Batch$", "", action) if service == "sqs" else action)
            found[name] = found.get(name, 0) + int(count)
    return found


def check_policy(name, before, *commands):
    """Everything that the commands ask for is allowed, with either store; `before` may ask for what it likes."""
    for store in ("simpledb", "dynamodb"):
        check_policy_with(store, name, before, *commands)


def check_policy_with(store, name, before, *commands):
    mock = Mock()
    mock.env["JOBQ_STORE"] = store
    for command in before:
        command(mock)
    first = asked(mock)
    for command in commands:
        command(mock)
    seen = {action for action, count in asked(mock).items() if count > first.get(action, 0)}
    missing = seen - allowed(name)
    check(seen and not missing, "%s.json does not allow %s" % (name, ", ".join(sorted(missing))))
    print("%-9s asked for %s" % (name, ", ".join(sorted(seen))))
    mock.close()


def enqueue(mock):
    mock.jobq("enqueue", "render", "kind=sleep", "seconds=0")
    job = mock.jobq("enqueue", "render", "kind=exec", "a=b").stdout.split()[0]
    mock.jobq("status", job)


def drain(mock):
    mock.jobq("drain", "render", "-n", "2", "--once", "--exec", "false", "--attempts", "1", "--wait", "1s")


def operate(mock):
    mock.jobq("list", "render")
    mock.jobq("dlq", "ls", "render")
    mock.jobq("dlq", "redrive", "render")
    mock.jobq("purge", "render", "--confirm", "render", check_code=None)


check_policy("client", [], enqueue)
check_policy("drainer", [enqueue], drain)
check_policy("operator", [enqueue, drain], operate)

# Every action of the live client is in the operator's policy.
names = set()
for path in [ROOT + "/live/aws/queue.c", ROOT + "/live/aws/fleet.c"] + glob.glob(ROOT + "/live/aws/store_*.c"):
    with open(path) as file:
        names |= set(re.findall(r'"((?:Batch|Change|Create|Delete|Describe|Domain|Get|List|Purge|Put|Receive|Run|'
                                r'Scan|Select|Send|Set|Terminate|Update)\w*)"', file.read()))
operator = {action.split(":")[1] for action in allowed("operator")}
missing = {n for n in names if n not in operator and re.sub("Batch$", "", n) not in operator}
check(not missing, "operator.json does not allow " + ", ".join(sorted(missing)))
for name in ("client", "drainer"):
    unknown = {a.split(":")[1] for a in allowed(name)} - names
    check(not unknown, "%s.json allows what no program asks for: %s" % (name, ", ".join(sorted(unknown))))
for action in ("ec2:TerminateInstances", "ec2:RunInstances"):
    check(action not in allowed("client") | allowed("drainer"), action + " is the operator's alone")
for statement in policy("operator"):
    if statement["Action"] == "ec2:TerminateInstances":
        check(statement["Condition"] == {"StringEquals": {"aws:ResourceTag/jobq:queue": "${Queue}"}},
              "boxes of another queue could be ended")


# ---- CloudFormation
class Tags(yaml.SafeLoader):
    pass


for tag in ("Sub", "Ref", "GetAtt"):
    Tags.add_constructor("!" + tag, lambda loader, node: loader.construct_scalar(node))
with open(os.path.join(IMAGE, "cloudformation/stack.yaml")) as file:
    stack = yaml.load(file, Tags)
resources = stack["Resources"]
for name, statements in (
        ("drainer", resources["BoxRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]),
        ("client", resources["ClientPolicy"]["Properties"]["PolicyDocument"]["Statement"]),
        ("operator", resources["OperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"])):
    check(statements == policy(name), "the stack's policy '%s' is not iam/%s.json" % (name, name))
with open(os.path.join(IMAGE, "cloudformation/stack.yaml")) as file:
    text = file.read()
for name in re.findall(r"!(?:Ref|GetAtt) '?(\w+)", text) + re.findall(r"\$\{(\w+)\}", text):
    check(name in resources or name in stack["Parameters"], "the stack refers to '%s', which is not there" % name)
template = resources["Boxes"]["Properties"]["LaunchTemplateData"]
check(template["MetadataOptions"]["HttpTokens"] == "required", "IMDSv1 is open")
check(template["InstanceInitiatedShutdownBehavior"] == "terminate", "a box that shuts down stays")
user_data = yaml.safe_load(template["UserData"]["Fn::Base64"])
check(set(user_data) == {"write_files", "runcmd"}, "the stack's user data has other keys: %s" % list(user_data))


# ---- what jobq drain knows, for the env files
known = {word.replace("-", "_").upper() for word in
         re.findall(r"^ .*?--([a-z-]+)", subprocess.run([JOBQ, "drain", "--help"], capture_output=True, text=True,
                                                        check=True).stdout, re.M)}


def check_env(lines, who):
    for line in lines:
        name = line.split("=")[0]
        check(name.startswith("AWS_") or name[len("JOBQ_"):] in known, "%s sets %s, no option of jobq drain" % (who, name))


check_env(user_data["write_files"][0]["content"].split(), "the stack's user data")

# ---- Salt: the states rendered as its Jinja and YAML would, against the package's files
loader = jinja2.Environment(loader=jinja2.FileSystemLoader(os.path.join(IMAGE, "salt")), undefined=jinja2.StrictUndefined)
with open(os.path.join(IMAGE, "salt/pillar/jobq.sls")) as file:
    pillar = yaml.safe_load(file)
pillar["jobq"]["queues"]["mail"] = {"idle-exit": "1h"}
states = yaml.safe_load(loader.get_template("jobq/init.sls").render(pillar=pillar))
units = {os.path.basename(p) for p in glob.glob(os.path.join(IMAGE, "*.service"))}
for queue, options in pillar["jobq"]["queues"].items():
    managed = dict(i for part in states["/etc/jobq/%s.env" % queue]["file.managed"] for i in part.items())
    check("AWS_REGION=us-east-1" in managed["contents"], "no region for " + queue)
    check_env(managed["contents"], "the Salt state")
    service = "jobq-drain@%s.service" % queue
    check(service in states and "jobq-drain@.service" in units, "no unit for " + queue)
    running = dict(i for part in states[service]["service.running"] for i in part.items())
    check({"file": "/etc/jobq/%s.env" % queue} in running["watch"] and running["enable"] is True,
          "the drainer does not follow its settings")
for top in ("salt/top.sls", "salt/pillar/top.sls"):
    with open(os.path.join(IMAGE, top)) as file:
        check(yaml.safe_load(file) == {"base": {"*": ["jobq"]}}, top)

# ---- Packer, shell
if shutil.which("packer"):
    env = {**os.environ, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "CHECKPOINT_DISABLE": "1"}
    template = os.path.join(IMAGE, "packer/jobq.pkr.hcl")
    # The folder of the packages must be there, whether `make deb` has filled it or not.
    os.makedirs(os.path.join(ROOT, "build/deb"), exist_ok=True)
    done = subprocess.run(["packer", "validate", template], env=env, capture_output=True, text=True, cwd=ROOT)
    check(done.returncode == 0, "packer: " + done.stdout + done.stderr)
    with open(template) as file:
        wrong = file.read().replace("ssh_username", "ssh_usernam")
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), "jobq-wrong-%d.pkr.hcl" % os.getpid())
    with open(path, "w") as file:
        file.write(wrong)
    done = subprocess.run(["packer", "validate", path], env=env, capture_output=True, text=True, cwd=ROOT)
    os.unlink(path)
    check(done.returncode != 0, "packer passed a misspelt key")
else:
    print("SKIP packer is not here")
if shutil.which("shellcheck"):
    scripts = [p for p in subprocess.run(["git", "ls-files", "*.sh"], cwd=ROOT, capture_output=True, text=True,
                                         check=False).stdout.split() if p.startswith("live/")] or \
        glob.glob(os.path.join(IMAGE, "**/*.sh"), recursive=True)
    done = subprocess.run(["shellcheck", "-S", "warning"] + scripts, cwd=ROOT, capture_output=True, text=True)
    check(done.returncode == 0, done.stdout)
else:
    print("SKIP shellcheck is not here")
print("ok: box")
