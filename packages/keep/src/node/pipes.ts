/** The two pipes that the Keep is given: the only descriptors it ever touches. */
import { Socket } from "node:net";

export const IN_DESCRIPTOR = 3;
export const OUT_DESCRIPTOR = 4;

export function openPipe(descriptor: number): Socket {
  return new Socket({ fd: descriptor, readable: true, writable: true, allowHalfOpen: false });
}
