/** Measurements to expect of the image that is built here. */
import type { PolicySubject } from "./template.ts";

export function findReferenceValues(_tees: readonly string[]): PolicySubject {
  return { imageDigest: null, tables: [], simulated: false };
}
