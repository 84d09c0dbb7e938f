import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog } from "../../src/agent/log.ts";
import { Metrics } from "../../src/agent/metrics.ts";

test("a log line is one line, whatever callers call themselves", () => {
  const lines: string[] = [];
  const event = { caller: 'a"\nlevel=error', ms: 3, keep: null };
  createLog((line) => lines.push(line), false)("info", "request", event);
  createLog((line) => lines.push(line), true)("warn", "request", event);
  const [json, human] = lines;
  assert.deepEqual(JSON.parse(json!).caller, event.caller);
  assert.equal(json!.split("\n").length, 2);
  assert.match(
    human!,
    /^\d\d:\d\d:\d\d warn: request caller="a\\"\ufffdlevel=error" ms=3 keep=null\n$/,
  );
});

test("metrics are in Prometheus' format, with cumulative buckets and escaped labels", () => {
  const metrics = new Metrics();
  metrics.count("donjon_keeps_created_total");
  metrics.count("donjon_keeps_created_total");
  metrics.count("donjon_refusals_total", { reason: 'a"b\\c\nd' });
  metrics.count("donjon_tunnel_bytes_total", { direction: "to-keep" }, 10);
  for (const seconds of [0.001, 0.02, 99]) metrics.observe("GET /v1/keeps", 200, seconds);
  const text = metrics.format([{ labels: { state: "running", backend: "vm" }, value: 2 }], 1);
  const lines = text.split("\n");
  for (const wanted of [
    'donjon_keeps{state="running",backend="vm"} 2',
    "donjon_sessions 1",
    "donjon_keeps_created_total 2",
    "donjon_keeps_lost_total 0",
    'donjon_refusals_total{reason="a\\"b\\\\c\\nd"} 1',
    'donjon_tunnel_bytes_total{direction="to-keep"} 10',
    'donjon_request_duration_seconds_bucket{route="GET /v1/keeps",status="200",le="0.005"} 1',
    'donjon_request_duration_seconds_bucket{route="GET /v1/keeps",status="200",le="0.025"} 2',
    'donjon_request_duration_seconds_bucket{route="GET /v1/keeps",status="200",le="30"} 2',
    'donjon_request_duration_seconds_bucket{route="GET /v1/keeps",status="200",le="+Inf"} 3',
    'donjon_request_duration_seconds_count{route="GET /v1/keeps",status="200"} 3',
  ])
    assert.ok(lines.includes(wanted), `${wanted}\nin\n${text}`);
  for (const line of lines.slice(0, -1))
    assert.match(line, /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{.*\})? [\d.e+-]+)$/);
});
