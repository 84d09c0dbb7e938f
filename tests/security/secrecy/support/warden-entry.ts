/** A warden as the agent starts one, which keeps every byte that goes through its Keep's pipes in a file. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { Backend } from "@donjon/host/backend/backend";
import { createProcessBackend } from "@donjon/host/backend/process";
import { runWarden } from "@donjon/host/warden/warden";
import { openSecurityProcessor } from "@donjon/simtee/security-processor";

const [simtee = "", recordings = "", , folder = ""] = process.argv.slice(2);
const runtime = join(import.meta.dirname, "../../../../packages/keep/dist/keep.cjs");

function recordInto(file: string, inner: Duplex): Duplex {
  inner.on("data", (bytes: Buffer) => {
    appendFileSync(file, bytes);
    if (!outer.push(bytes)) inner.pause();
  });
  inner.on("end", () => outer.push(null));
  inner.on("close", () => outer.destroy());
  const outer = new Duplex({
    read: () => void inner.resume(),
    write(bytes: Buffer, _encoding, done) {
      appendFileSync(file, bytes);
      inner.write(bytes, done);
    },
    final: (done) => void inner.end(done),
    destroy(error, done) {
      inner.destroy();
      done(error);
    },
  });
  return outer;
}

function recordPipes(backend: Backend): Backend {
  return {
    ...backend,
    start(options) {
      const keep = backend.start(options);
      const file = (pipe: string) => join(recordings, `${process.pid}.${pipe}`);
      const pipes = {
        in: recordInto(file("in"), keep.in),
        out: recordInto(file("out"), keep.out),
        lane: { ...keep.lane!, stream: recordInto(file("lane"), keep.lane!.stream) },
      };
      return Object.create(keep, {
        in: { value: pipes.in },
        out: { value: pipes.out },
        lane: { value: pipes.lane },
      });
    },
  };
}

process.exit(
  await runWarden(folder, {
    createBackend: async () =>
      recordPipes(createProcessBackend({ engine: process.execPath, runtime })),
    async openSecurityProcessor() {
      const processor = await openSecurityProcessor(simtee);
      return {
        async createEvidence(launch, reportData) {
          const { kind, evidence, auxiliary } = await processor.createEvidence(launch, reportData);
          return { tee: kind, evidence, auxiliary };
        },
      };
    },
  }),
);
