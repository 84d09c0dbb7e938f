/** Writes what the commands of docs/tour.md print now into the page: `sh tools/node.sh tests/e2e/tour/write-tour.ts`. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseTranscript, type Step, shorten, Values } from "./transcript.ts";
import { User } from "./user.ts";

const PAGE = join(import.meta.dirname, "../../../docs/tour.md");

/** The commands are the page's; values that they take from the screen are replaced with those of now. */
async function takeTour(steps: readonly Step[]): Promise<Step[]> {
  const user = await User.create();
  const then = new Values();
  const now = new Values();
  try {
    const taken: Step[] = [];
    for (const step of steps) {
      const command = then.translate(step.command, now);
      const output = shorten(await user.give(step, command))
        .trim()
        .replace(/.$/, "$&\n");
      then.normalise(step.output);
      now.normalise(output);
      taken.push({ ...step, command, output });
    }
    return taken;
  } finally {
    await user.leave();
  }
}

const page = await readFile(PAGE, "utf8");
const steps = parseTranscript(page);
const taken = await takeTour(steps);
const written = steps.reduce(
  ({ done, rest }, { command, output }, index) => {
    const line = rest.indexOf(`$ ${command}`);
    const start = rest.indexOf("\n", line) + 1;
    const head = rest.slice(0, start).replace(`$ ${command}`, () => `$ ${taken[index]!.command}`);
    return {
      done: done + head + taken[index]!.output,
      rest: rest.slice(start + output.length),
    };
  },
  { done: "", rest: page },
);
await writeFile(PAGE, written.done + written.rest);
