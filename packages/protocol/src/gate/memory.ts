/**
 * Gives the memory of `bytes` back now, if they are all that is in it. Their owner calls this, when nobody will look at them
 * again. Left to the collector, the buffers of a fast stream come to so much that it works through the whole heap for them, many
 * times a second.
 */
export function releaseMemory(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || buffer.detached) return;
  if (bytes.length === buffer.byteLength) buffer.transfer(0);
}
