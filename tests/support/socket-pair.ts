/** Two sockets of the system that are each other's ends. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `allowHalfOpen`: each direction ends by itself. */
export async function createSocketPair({
  allowHalfOpen = false,
} = {}): Promise<readonly [Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), "donjon-pair-"));
  const path = join(folder, "s");
  const server = createServer({ allowHalfOpen });
  server.listen(path);
  await once(server, "listening");
  const near = connect({ path, allowHalfOpen });
  const [far] = (await once(server, "connection")) as [Socket];
  server.close();
  rmSync(folder, { recursive: true });
  return [near, far];
}
