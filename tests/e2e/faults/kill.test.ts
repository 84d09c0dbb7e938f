import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAlive, untilGone } from "../../support/processes.ts";
import { guestPath, listAll, startCommand } from "./command.ts";

const WAYS = ["sleep", "spin", "read"] as const;

describe("kill -9 of the Keep", () => {
  for (const way of WAYS) {
    it(`is told, with 125 and nothing left behind, while the guest is in ${way}`, async (t) => {
      const command = startCommand(t, [guestPath("waits"), "--", way]);
      await command.said("waiting");
      const { keep, all } = await listAll(command);
      process.kill(keep.pid, "SIGKILL");
      assert.deepEqual(await command.ended, { code: 125, signal: null });
      await untilGone(all);
      await command.said("before the run was over");
      assert.match(
        command.stderr(),
        /^waiting\ndonjon: the Keep was ended by SIGKILL before the run was over[^\n]*\n$/,
      );
      assert.deepEqual(command.temporary(), []);
    });
  }
});

describe("kill -9 of the command", () => {
  for (const way of [...WAYS, "write"]) {
    it(`takes the Keep with it within 2 s while the guest is in ${way}`, async (t) => {
      const command = startCommand(t, [guestPath("waits"), "--", way]);
      await command.said("waiting");
      const { all } = await listAll(command);
      assert.ok(all.length >= 2 && all.every(isAlive));
      command.child.kill("SIGKILL");
      await untilGone(all, 2000);
      assert.deepEqual(command.temporary(), []);
    });
  }

  it("takes a Keep that has not started its guest yet", async (t) => {
    const command = startCommand(t, [guestPath("waits"), "--", "spin"]);
    const { all } = await listAll(command);
    command.child.kill("SIGKILL");
    await untilGone(all, 2000);
  });
});
