import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import type { ManifestDescriptor } from "@donjon/protocol/manifest/manifest";
import type { GateCaller } from "../../src/gate/caller.ts";
import { Connections } from "../../src/gate/connections.ts";
import type { Workload } from "../../src/runtime/workload.ts";

const LISTENER = { kind: "listen", name: "web", protocol: "tcp", address: "::", port: 80 } as const;

test("a connection that came before the manifest and has gone is not the workload's", () => {
  const connections = new Connections({} as GateCaller, () => assert.fail("no TLS here"));
  const call = (): Duplex => {
    const [stream] = duplexPair();
    connections.onCall({ name: "web", accept: () => stream, refuse: () => assert.fail("refused") });
    return stream;
  };
  const gone = call();
  const there = call();
  gone.destroy();
  const accepted: Duplex[] = [];
  const workload = {
    accept: (_: string, stream: Duplex) => accepted.push(stream) > 0,
  } as unknown as Workload;
  connections.open([LISTENER as ManifestDescriptor], workload);
  assert.deepEqual(accepted, [there]);
});
