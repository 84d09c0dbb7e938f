/** The image that a command is about: the one in a folder, or the one built last. */
import { join, resolve } from "node:path";
import { digestTree } from "@donjon/host/image/digest";
import { type ImageSearch, imageFiles, searchImage } from "@donjon/host/image/find";
import { listTree } from "@donjon/host/image/tree";
import { findRuntime } from "../early-keep.ts";

/** Throws what `listTree` and `digestTree` throw for a folder that holds no image. */
export function openImage(directory: string | undefined): ImageSearch {
  if (directory === undefined)
    return searchImage({ engine: process.execPath, runtime: findRuntime() });
  const { digest } = digestTree(listTree(join(directory, "tree")));
  return { image: imageFiles(resolve(directory), digest) };
}
