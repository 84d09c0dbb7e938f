import { DonjonError } from "@donjon/core/errors";
import type { Command } from "commander";

const EXAMPLES = `
Examples:
  donjon completion bash > /etc/bash_completion.d/donjon
  donjon completion zsh > "\${fpath[1]}/_donjon"
  donjon completion fish > ~/.config/fish/completions/donjon.fish
`;

interface Word {
  readonly name: string;
  readonly about: string;
}

interface CommandWords extends Word {
  readonly options: readonly Word[];
}

const SHELLS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: createBashScript,
  zsh: createZshScript,
  fish: createFishScript,
};

export function addCompletionCommand(program: Command): void {
  program
    .command("completion")
    .summary("print a script that completes commands and options")
    .description("Print a script that completes commands and options in a shell.")
    .argument("<shell>", `one of ${Object.keys(SHELLS).join(", ")}`)
    .addHelpText("after", EXAMPLES)
    .action((shell: string) => {
      const create = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (create === undefined) {
        throw new DonjonError(
          "usage",
          `there is no completion for '${shell}'; there is one for ${Object.keys(SHELLS).join(", ")}`,
        );
      }
      process.stdout.write(create(listWords(program)));
    });
}

/** Commands and options as the program declares them, so that a script is never behind. */
function listWords(program: Command): CommandWords[] {
  const help = program.createHelp();
  return help.visibleCommands(program).map((command) => ({
    name: command.name(),
    about: command.summary() || command.description(),
    options: help
      .visibleOptions(command)
      .flatMap(({ long, description }) => (long ? [{ name: long, about: description }] : [])),
  }));
}

function createBashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    ({ name, options }) =>
      `    ${name}) words="${options.map((option) => option.name).join(" ")}" ;;`,
  );
  return `# bash completion for donjon
_donjon() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="" ;;
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
    *) COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _donjon donjon
`;
}

function createZshScript(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name, about }) => `    ${quote(`${name}:${about}`)}`);
  const cases = commands.map(({ name, options }) => {
    const words = options.map((option) =>
      quote(`${option.name}[${option.about.replaceAll("[", "(").replaceAll("]", ")")}]`),
    );
    return `    ${name}) _arguments ${[...words, "'*:file:_files'"].join(" ")} ;;`;
  });
  return `#compdef donjon
_donjon() {
  local -a commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
compdef _donjon donjon
`;
}

function createFishScript(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ name, about, options }) => [
    `complete -c donjon -n __fish_use_subcommand -f -a ${name} -d ${quote(about)}`,
    ...options.map(
      (option) =>
        `complete -c donjon -n '__fish_seen_subcommand_from ${name}' -l ${option.name.slice(2)} -d ${quote(option.about)}`,
    ),
  ]);
  return `# fish completion for donjon\n${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
