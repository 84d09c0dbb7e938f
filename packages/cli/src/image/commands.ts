/** What the subcommands of `image` do, in one file of the build that other commands never load. */
export { runImageBuild } from "./build.ts";
export { runImageDiff } from "./diff.ts";
export { runImageDigest } from "./digest.ts";
export { runImageMeasure } from "./measure.ts";
export { runImageUpdate } from "./update.ts";
