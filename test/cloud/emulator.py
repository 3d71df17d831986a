"""Starts MiniStack with what AWS has and MiniStack 1.5.33 lacks, so that the product need not know of either.

Ends when its standard input does, however its parent ends, and deletes its temporary folder.
"""

import json
import os
import re
import shutil
import sys
import threading

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, lambda_svc, scheduler, secretsmanager
from ministack.services.cloudformation import provisioners

resources = provisioners._RESOURCE_HANDLERS


# CloudFormation: types that MiniStack does not know. Nothing here reads the first two.
def name_only(logical_id, props, stack_name):
    return f"{stack_name}-{logical_id}", {}


for unknown in ["AWS::Logs::QueryDefinition", "AWS::SecretsManager::RotationSchedule"]:
    resources[unknown] = {"create": name_only, "delete": lambda name, props: None}


def create_composite_alarm(logical_id, props, stack_name):
    name = f"{stack_name}-{logical_id}"
    cloudwatch._put_composite_alarm({}, {**props, "AlarmName": name}, False, True)
    return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}


resources["AWS::CloudWatch::CompositeAlarm"] = {
    "create": create_composite_alarm,
    "delete": lambda name, props: cloudwatch._composite_alarms.pop(name, None),
}

# Alarms: those of an expression are refused, and the others ignore their dimensions. Here they only exist.
alarm_record = provisioners._cw_metric_alarm_record
expression = {"MetricName": "Expression", "Namespace": "Expression"}
provisioners._cw_metric_alarm_record = lambda name, props: alarm_record(
    name, {**expression, **props, "Metrics": None}
)
cloudwatch._evaluate_alarm = lambda alarm: None

# Secrets Manager: on AWS, a secret's Ref is its ARN, and a secret that is created without a value has none.
secrets = dict(resources["AWS::SecretsManager::Secret"])


def secret_name(arn):
    return secretsmanager._resolve(arn)[0] or arn


def create_secret(logical_id, props, stack_name):
    name, attributes = secrets["create"](logical_id, props, stack_name)
    secretsmanager._secrets[name]["Versions"].clear()
    return attributes["Arn"], attributes


def update_secret(arn, old, new, stack_name, logical_id):
    _, attributes = secrets["update"](secret_name(arn), old, new, stack_name, logical_id)
    return arn, attributes


resources["AWS::SecretsManager::Secret"] = {
    "create": create_secret,
    "update": update_secret,
    "update_with_logical_id": True,
    "delete": lambda arn, props: secrets["delete"](secret_name(arn), props),
}

# Lambda: makes no log groups, as the functions' roles do not allow it.
emit_logs = lambda_svc._emit_lambda_logs


def emit_logs_if_group_exists(func, *args, **options):
    if func["config"]["LoggingConfig"]["LogGroup"] in cloudwatch_logs._log_groups:
        emit_logs(func, *args, **options)


lambda_svc._emit_lambda_logs = emit_logs_if_group_exists

# Lambda: the record of a failed event has the invocation's id, and a function gets it like any other event.
execute = lambda_svc._execute_function_dispatch
route_failure = lambda_svc._route_async_failure


def execute_with_id(func, config, event, request_id, started):
    return {**execute(func, config, event, request_id, started), "request_id": request_id}


def route(target, name, event, result):
    if ":lambda:" not in target:
        return route_failure(target, name, event, result)
    destination, _, _ = lambda_svc._get_func_record_for_ref(target)
    arn = lambda_svc._functions[name]["config"]["FunctionArn"]
    context = {"requestId": result["request_id"], "functionArn": arn, "condition": "RetriesExhausted"}
    record = {"requestContext": context, "requestPayload": event, "responsePayload": result.get("body")}
    lambda_svc.invoke_async_with_retry(destination, record)


lambda_svc._execute_function_dispatch = execute_with_id
lambda_svc._route_async_failure = route

# Lambda: an update leaves running invocations alone.
invalidate = lambda_runtime.invalidate_worker


def invalidate_idle(name, *args, **scope):
    with lambda_runtime._lock:
        for key, workers in lambda_runtime._workers.items():
            if key.split(":")[2] == name:
                workers[:] = [worker for worker in workers if not worker.in_use]
    invalidate(name, *args, **scope)


lambda_runtime.invalidate_worker = lambda_svc.invalidate_worker = invalidate_idle

# Lambda: long time-outs, as processors have, pass ten times as fast.
create_worker = lambda_runtime.Worker.__init__


def create_fast_worker(worker, name, config, code):
    timeout = config.get("Timeout", 3)
    create_worker(worker, name, {**config, "Timeout": timeout / 10 if timeout > 100 else timeout}, code)


lambda_runtime.Worker.__init__ = create_fast_worker

# Lambda: tells which process runs which invocation, so that a test can kill it.
invoke = lambda_runtime.Worker.invoke


def invoke_and_tell(worker, event, request_id, **context):
    lambda_runtime.ensure_spawned(worker)
    print(f"invocation {request_id} runs in process {worker._proc.pid}", flush=True)
    return invoke(worker, event, request_id, **context)


lambda_runtime.Worker.invoke = invoke_and_tell

# CloudWatch Logs: filter patterns of JSON, as far as the command line uses them. They would match every line.
compile_pattern = cloudwatch_logs._compile_filter_pattern


def compile_json_pattern(pattern):
    equals = re.fullmatch(r'\{\s*\$\.(\w+)\s*=\s*"([^"]*)"\s*\}', (pattern or "").strip())
    if equals is None:
        return compile_pattern(pattern)
    field, value = equals.groups()

    def matches(line):
        return line.startswith("{") and json.loads(line).get(field) == value

    return matches


cloudwatch_logs._compile_filter_pattern = compile_json_pattern

# Scheduler: a minute takes one second.
rate_seconds = eventbridge._parse_rate_seconds


def fast_rate_seconds(expression):
    seconds = rate_seconds(expression)
    return seconds and seconds / 60


eventbridge._parse_rate_seconds = fast_rate_seconds
scheduler._SCHEDULE_TICK_INTERVAL = 0.25

# It would also listen on port 443, if it may.
app._port_is_bindable = lambda *address: False


def end():
    scheduler._tick_schedules = lambda: None
    lambda_runtime.reset()
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os._exit(0)


def end_with_parent():
    sys.stdin.buffer.read()
    end()


threading.Thread(target=end_with_parent, daemon=True).start()
try:
    app.main()
finally:
    end()
