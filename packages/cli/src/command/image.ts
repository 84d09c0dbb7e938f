import type { Command } from "commander";
import type { Context } from "../program.ts";
import { addMeasureCommand } from "./measure.ts";

const EXAMPLES = `
Examples:
  donjon image build                   build the image of this installation, for 'process' and 'vm' Keeps alike
  donjon image digest                  its digest, after checking every byte of it
  donjon image build --output image-a  the same files in a folder of your own
  donjon image diff image-a image-b    which inputs two images do not share
  donjon image measure --tee snp       what hardware will report for it, as a policy
  donjon image update                  move the lock file to the newest packages

Exit codes: 0 done, 1 'diff' found differences, 125 failed.
`;

const BUILD_EXAMPLES = `
Examples:
  donjon image build                      into the cache that Keeps start from
  donjon image build --output image-a     into a new folder
  donjon image build --packages debs/     without a network, from packages that are there
`;

const DIGEST_EXAMPLES = `
Examples:
  donjon image digest                     of the image that Keeps start from
  donjon image digest image-a
`;

const DIFF_EXAMPLES = `
Examples:
  donjon image diff image-a image-b
  donjon image diff before/image.json after/image.json

Exit codes: 0 no file differs, 1 some do, 125 failed.
`;

const UPDATE_EXAMPLES = `
Examples:
  donjon image update && donjon image build
  donjon image update --lock new.lock.json
`;

const JSON_OPTION = "print one line of JSON";

export interface BuildOptions {
  readonly output?: string;
  readonly packages?: string;
  readonly lock?: string;
  readonly json?: boolean;
}

/** `donjon image` with its own commands; what they do is loaded when one is called. */
export function addImageCommand(program: Command, context: Context): void {
  const image = program
    .command("image")
    .summary("build, measure and compare Keep images")
    .description(
      "The Keep image: engine, runtime and C libraries, the same for every kind of Keep, with a kernel for VM Keeps.",
    )
    .addHelpText("after", EXAMPLES);
  addBuild(image, context);
  addDigest(image, context);
  addDiff(image, context);
  addMeasureCommand(image, context);
  addUpdate(image, context);
}

function addBuild(image: Command, context: Context): void {
  image
    .command("build")
    .summary("build the image from its locked inputs")
    .description("Build the Keep image. The same inputs give the same bytes.")
    .option(
      "-o, --output <dir>",
      "a new folder for it, in place of the cache that Keeps start from",
    )
    .option(
      "--packages <dir>",
      "take the locked .deb files from a folder, not from the package client",
    )
    .option("--lock <file>", "another lock file")
    .option("--json", JSON_OPTION)
    .addHelpText("after", BUILD_EXAMPLES)
    .action(async (options: BuildOptions) => {
      const { runImageBuild } = await import("../image/commands.ts");
      context.exitCode = await runImageBuild(options);
    });
}

function addDigest(image: Command, context: Context): void {
  image
    .command("digest")
    .summary("print an image's digest")
    .description(
      "Hash every file of a built image, hold it against the image's record and print the digest.",
    )
    .argument("[dir]", "a built image; the one that Keeps start from when not given")
    .option("--json", JSON_OPTION)
    .addHelpText("after", DIGEST_EXAMPLES)
    .action(async (directory: string | undefined, options: { json?: boolean }) => {
      const { runImageDigest } = await import("../image/commands.ts");
      context.exitCode = runImageDigest(directory, options);
    });
}

function addDiff(image: Command, context: Context): void {
  image
    .command("diff")
    .summary("say which inputs two images do not share")
    .description(
      "Compare two built images, file by file, and name the input behind each difference.",
    )
    .argument("<before>", "a built image's folder, or its image.json")
    .argument("<after>", "the same")
    .option("--json", "print {changes: [{path, input, before, after}]}")
    .addHelpText("after", DIFF_EXAMPLES)
    .action(async (before: string, after: string, options: { json?: boolean }) => {
      const { runImageDiff } = await import("../image/commands.ts");
      context.exitCode = runImageDiff(before, after, options);
    });
}

function addUpdate(image: Command, context: Context): void {
  image
    .command("update")
    .summary("move the lock file to the newest packages")
    .description("Write the newest packages and the installed engine into the lock file.")
    .option("--lock <file>", "the lock file to write")
    .option("--json", JSON_OPTION)
    .addHelpText("after", UPDATE_EXAMPLES)
    .action(async (options: { lock?: string; json?: boolean }) => {
      const { runImageUpdate } = await import("../image/commands.ts");
      context.exitCode = await runImageUpdate(options);
    });
}
