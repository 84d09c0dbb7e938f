import type { Command } from "commander";
import { createProgram } from "../../packages/cli/src/commands.ts";
import type { Step } from "../../tests/e2e/docs/steps.ts";
import {
  type Page,
  parseCodeBlocks,
  parseCommands,
  parseInlineCode,
  parsePrompts,
} from "./markdown.ts";

type Scripts = Readonly<Record<string, string>>;
type Steps = Readonly<Record<string, readonly Step[]>>;

/** Languages of blocks that hold no commands. */
const PASSIVE = ["toml", "js", "ts", "json", "text"];
/** The page of transcripts: `tests/e2e/tour` gives its commands and compares what is printed. Other pages may show some. */
const TRANSCRIPT = "docs/tour.md";

/** Commands in blocks that no test runs, and steps of tests that no page shows. */
export function checkCommands(pages: readonly Page[], steps: Steps, scripts: Scripts): string[] {
  const problems: string[] = [];
  const given = parseCodeBlocks(pages.find(({ path }) => path === TRANSCRIPT)?.text ?? "")
    .filter(({ language }) => language === "console")
    .flatMap(parsePrompts);
  for (const { path, text } of pages) {
    const shown: string[] = [];
    for (const block of parseCodeBlocks(text)) {
      if (block.language === "sh") shown.push(...parseCommands(block));
      else if (block.language === "console") {
        for (const command of parsePrompts(block))
          if (!given.includes(command)) problems.push(`${path}: ${TRANSCRIPT} has no '${command}'`);
      } else if (!PASSIVE.includes(block.language))
        problems.push(`${path}:${block.line}: a block is ${["sh", ...PASSIVE].join(", ")}`);
    }
    if (/(?:^|\n)\n {4}[^\s*|-]/.test(text))
      problems.push(`${path}: an indented block; fence it, so that it says what it is`);
    const known = (steps[path] ?? []).map(({ command }) => command);
    for (const command of shown)
      if (!known.includes(command)) problems.push(`${path}: no test runs '${command}'`);
    const inOrder = known.filter((command) => shown.includes(command));
    if (inOrder.length === shown.length && inOrder.some((command, at) => command !== shown[at]))
      problems.push(`${path}: its test runs the commands in another order`);
    for (const command of known)
      if (!shown.includes(command)) problems.push(`${path} does not show '${command}'`);
  }
  for (const path of Object.keys(steps))
    if (!pages.some((page) => page.path === path)) problems.push(`there is no page ${path}`);
  for (const step of Object.values(steps).flat()) {
    if ("kind" in step && step.kind === "script" && !namesScript(step.command, scripts))
      problems.push(`'${step.command}' is no script of package.json`);
  }
  return problems;
}

/** Commands within sentences: their scripts, subcommands, options and files must exist. */
export function checkMentions(
  pages: readonly Page[],
  scripts: Scripts,
  files: readonly string[],
): string[] {
  const program = createProgram({ exitCode: 0, early: null, rest: null });
  const problems: string[] = [];
  for (const { path, text } of pages) {
    for (const code of parseInlineCode(text)) {
      const why = judgeMention(code, program, scripts, files);
      if (why !== null) problems.push(`${path}: '${code}': ${why}`);
    }
  }
  return problems;
}

function judgeMention(
  code: string,
  program: Command,
  scripts: Scripts,
  files: readonly string[],
): string | null {
  const words = code.split(/\s+/);
  if (/^npm (?:start|test|run)\b/.test(code))
    return namesScript(code, scripts) ? null : "there is no such script";
  if (words[0] === "sh" && /^[a-z].*\.sh$/.test(words[1] ?? ""))
    return files.includes(words[1]!) ? null : "there is no such file";
  const at = words.indexOf("donjon");
  if (at !== 0 && !(at === 1 && words[0] === "npx")) return null;
  return at === words.length - 1 ? null : judgeCommandLine(words.slice(at + 1), program);
}

function judgeCommandLine(words: readonly string[], program: Command): string | null {
  if (words[0]!.startsWith("-")) return null;
  for (const name of words[0] === "help" ? words.slice(1) : words[0]!.split("|")) {
    const command = program.commands.find((known) => known.name() === name);
    if (command === undefined) return `there is no command '${name}'`;
    const end = words.indexOf("--");
    for (const flag of words.slice(1, end === -1 ? undefined : end)) {
      const name = flag.split("=")[0]!;
      const known = command.options.some(({ short, long }) => name === short || name === long);
      if (/^--?[a-z]/.test(name) && !known) return `'${command.name()}' has no option '${name}'`;
    }
  }
  return null;
}

function namesScript(command: string, scripts: Scripts): boolean {
  const match = /^npm (?:run )?([a-z:-]+)/.exec(command);
  return match !== null && Object.hasOwn(scripts, match[1]!);
}
