import { Argument, type Command } from "commander";
import { createBashScript } from "../completion/bash.ts";
import { createFishScript } from "../completion/fish.ts";
import { type CommandWords, listWords } from "../completion/words.ts";
import { createZshScript } from "../completion/zsh.ts";

const EXAMPLES = `
Examples:
  donjon completion bash > /etc/bash_completion.d/donjon
  donjon completion zsh > "\${fpath[1]}/_donjon"
  donjon completion fish > ~/.config/fish/completions/donjon.fish
  source <(donjon completion bash)       for this shell alone

It completes commands, options and their values, files, and the names of Keeps at the agent here.
`;

const SHELLS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: createBashScript,
  zsh: createZshScript,
  fish: createFishScript,
};

export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .summary("print a script that completes commands and options")
    .description("Print a script for a shell that completes what may follow 'donjon'.")
    .addArgument(new Argument("<shell>", "whose script").choices(Object.keys(SHELLS)))
    .addHelpText("after", EXAMPLES)
    .action((shell: string) => {
      process.stdout.write(SHELLS[shell]!(listWords(program)));
    });
}
