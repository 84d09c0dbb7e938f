/** The `null` device: always at its end, takes everything. It has no state, so all share it. */
import { HUNG_UP, type InputStream, type OutputStream } from "../capability/stream.ts";

export const NULL_INPUT: InputStream = {
  read: () => 0,
  peek: () => 0,
  ready: () => HUNG_UP,
  close: () => {},
};

export const NULL_OUTPUT: OutputStream = {
  write: (_memory, _offset, length) => length,
  ready: () => 0xffff_ffff,
  close: () => {},
};
