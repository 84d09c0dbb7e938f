/**
 * Gives the memory of `bytes` back now, if they are all that is in it. Their owner calls this, when nobody will look at them
 * again. Left to the collector, the buffers of a fast stream come to so much that it works through the whole heap for them, many
 * times a second.
 */
export function releaseMemory(bytes: Uint8Array): void {
  if (bytes.length === bytes.buffer.byteLength) releaseBuffer(bytes.buffer);
}

/** The same for a whole buffer, of which nobody needs anything. */
export function releaseBuffer(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
