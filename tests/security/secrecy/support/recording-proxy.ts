/** Stands between clients and an agent's unix socket, and keeps every byte. */
import { connect, createServer, type Socket } from "node:net";

export interface RecordingProxy extends AsyncDisposable {
  /** As `connectAgent` takes it. */
  readonly address: string;
  readonly recorded: readonly Buffer[];
}

export async function startRecordingProxy(
  path: string,
  agentPath: string,
): Promise<RecordingProxy> {
  const recorded: Buffer[] = [];
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    const agent = connect({ path: agentPath, allowHalfOpen: true });
    for (const [from, to] of [
      [client, agent],
      [agent, client],
    ] as const) {
      from.on("data", (bytes: Buffer) => recorded.push(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    address: `unix:${path}`,
    recorded,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of clients) client.destroy();
      }),
  };
}
