"""Examples for the API reference, by the model that they show. A test reads each as what it shows."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, str]] = {
    "Workflow": """\
apiVersion: windlass.dev/v1alpha1
kind: Workflow
metadata: {name: daily-sales, namespace: data}
spec:
  description: Load yesterday's sales into the warehouse.
  owner: data-team
  tags: [sales]
  concurrency: {maxActiveTasks: 16}
  params:
    limit: {type: integer, minimum: 1, default: 100}
  taskDefaults:
    image: python:3.12-slim
    retry: {limit: 3, delay: 5m, factor: 2, maxDelay: 1h}
    timeout: 1h
  tasks:
  - name: extract
    script: |
      echo '{"rows": 812}' > "$WINDLASS_OUTPUTS"
  - name: load
    dependsOn: [extract]
    when: "{{ tasks.extract.outputs.rows > 0 }}"
    command: [python, load.py, --limit, "{{ params.limit }}"]
  finally:
  - name: report
    script: echo "the run is $OUTCOME"
    env: [{name: OUTCOME, value: "{{ run.outcome }}"}]
  timeout: 6h
""",
    "WorkflowRun": """\
apiVersion: windlass.dev/v1alpha1
kind: WorkflowRun
metadata: {generateName: daily-sales-, namespace: data}   # needs kubectl create: apply wants a name
spec:
  workflow: daily-sales
  params: {limit: 50}
  logicalDate: "2025-04-01T17:00:00Z"
""",
    "Backfill": """\
apiVersion: windlass.dev/v1alpha1
kind: Backfill
metadata: {name: sales-of-march, namespace: data}
spec:
  workflow: daily-sales
  from: "2025-03-01"
  to: "2025-03-31"
  reprocess: Failed
  maxActiveRuns: 3
  stopAfterFailures: 5
  params: {limit: 50}
""",
    "Schedule": """\
cron: ["0 9 * * MON-FRI", "0 12 L * *"]   # one, or a list
timeZone: Asia/Seoul
start: "2025-04-01T00:00:00Z"
catchUp: Latest
startingDeadline: 1h
exclude: {weekdays: [SAT, SUN], configMap: {name: holidays}}
shift: Next                               # what would fall on these days comes on the next that is open
""",
    "After": """\
all:                                      # once each has happened
- {workflow: extract, within: 24h}
- {workflow: clean, on: Ended}
- {asset: sales/daily}
""",
    "Calendar": """\
dates: ["2026-12-25", "2026-12-26"]
weekdays: [SAT, SUN]
configMap: {name: holidays, key: kr}
""",
    "Task": """\
name: check
dependsOn: [extract]
script: |
  python check.py --rows "$ROWS"
env: [{name: ROWS, value: "{{ tasks.extract.outputs.rows }}"}]
""",
    "TaskDefaults": """\
image: registry.example.com/etl:7
imagePullSecrets: [{name: registry}]
retry: {limit: 2}
""",
    "ContainerFields": """\
image: python:3.12-slim
env:
- {name: MODE, value: "{{ params.mode }}"}
- {name: DATABASE, valueFrom: {secretKeyRef: {name: warehouse, key: url}}}
resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}
nodeSelector: {disk: ssd}
podTemplate:
  spec:
    containers:
    - {name: main, lifecycle: {preStop: {exec: {command: [sync]}}}}
""",
    "Retry": """\
limit: 3          # four attempts at most
delay: 1m         # then 2m, then 4m
factor: 2
maxDelay: 1h
jitter: 0.2
exitCodes: {never: [2], always: [75]}
oom: {factor: 1.5, max: 8Gi}
""",
    "GitSource": """\
repo: git@git.example.com:acme/pipelines.git
ref: v1.4
path: sales
secretName: git-credentials
""",
    "RunAction": """\
apiVersion: windlass.dev/v1alpha1
kind: RunAction
metadata: {name: late-data, namespace: data}
spec:
  run: daily-sales-20250401t1700
  verb: Clear
  tasks: [load]
  downstream: true
  reason: the files of the south came late
  requestedBy: alice@example.com
""",
    "Approval": """\
message: "Release {{ tasks.build.outputs.version }}?"
approvers: {groups: [release-managers]}
timeout: 2d
onTimeout: Reject
form:
  percent: {type: integer, minimum: 1, maximum: 100, default: 10}
""",
    "Workspace": """\
size: 20Gi
mountPath: /workspace/data
storageClassName: gp3
keep: OnFailure
""",
}
