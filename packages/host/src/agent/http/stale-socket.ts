/** Sockets that an agent which was killed has left behind. */
import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { DonjonError } from "@donjon/core/errors";

/** Takes away what is at `path` so that it can be listened on. Throws `agent/conflict` when it is not such a socket. */
export async function clearSocket(path: string): Promise<void> {
  const why = await whyKept(path);
  if (why !== null)
    throw new DonjonError("agent/conflict", `'${path}' cannot be listened on: ${why}`);
  rmSync(path, { force: true });
}

/** The same for a place where nobody is going to listen: what is no such socket stays. Answers whether one was there. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return false;
    if ((await whyKept(path)) !== null) return false;
    rmSync(path);
    return true;
  } catch {
    return false; // A place that this user may not look at or change is none of its business.
  }
}

/** Why it is nobody's but its listener's to take away; `null`: it is this user's socket and has no listener, or is not there. */
async function whyKept(path: string): Promise<string | null> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isSocket()) return "it is no socket";
  if (found.uid !== process.getuid?.()) return "it is another user's socket";
  return (await isAnswered(path)) ? "another agent listens there" : null;
}

/** Only a refusal says that there is no listener: one with a full queue or other permissions has an error of its own. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("error", ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== "ECONNREFUSED" && code !== "ENOENT"),
    );
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
