/** The pipes that the Keep is given: the only descriptors it ever touches. */
import { Socket, type SocketConstructorOpts } from "node:net";

export const IN_DESCRIPTOR = 3;
export const OUT_DESCRIPTOR = 4;
const LANE_DESCRIPTOR = 5;
/** What the runtime is started with where there is a lane. */
const LANE_ARGUMENT = "lane";

/** Octets of one read. By itself the engine reads 64 KiB at a time, and each read costs a turn of the event loop. */
const READ_BYTES = 256 << 10;

export function openPipe(descriptor: number): Socket {
  const onread = {
    buffer: Buffer.allocUnsafeSlow(READ_BYTES),
    callback: (count: number, buffer: Uint8Array) =>
      socket.push(Buffer.copyBytesFrom(buffer, 0, count)),
  };
  // The types know this option for outgoing connections only; the engine takes it for every socket.
  const options = { fd: descriptor, readable: true, writable: true, allowHalfOpen: false, onread };
  const socket: Socket = new Socket(options as SocketConstructorOpts);
  return socket;
}

/** What opens the lane, `null`: there is none. */
export function findLane(): (() => Socket) | null {
  if (process.argv[2] !== LANE_ARGUMENT) return null;
  return () =>
    new Socket({ fd: LANE_DESCRIPTOR, readable: true, writable: true, allowHalfOpen: true });
}
