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
  /** Its own and those of its commands. */
  readonly options: readonly Word[];
  /** For a command with commands of its own. */
  readonly commands: readonly Word[];
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
  const describe = (command: Command): Word => ({
    name: command.name(),
    about: command.summary() || command.description(),
  });
  return help.visibleCommands(program).map((command) => {
    const options = [command, ...command.commands]
      .flatMap((each) => help.visibleOptions(each))
      .flatMap(({ long, description }) => (long ? [{ name: long, about: description }] : []));
    return {
      ...describe(command),
      options: [...new Map(options.map((option) => [option.name, option])).values()],
      commands: command.commands.map(describe),
    };
  });
}

function joinNames(words: readonly Word[]): string {
  return words.map(({ name }) => name).join(" ");
}

function createBashScript(commands: readonly CommandWords[]): string {
  const cases = commands.map(
    ({ name, options, commands: own }) =>
      `    ${name}) words="${joinNames(options)}" own="${joinNames(own)}" ;;`,
  );
  return `# bash completion for donjon
_donjon() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words own
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${joinNames(commands)}" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
    *) words="" own="" ;;
  esac
  if [ "$COMP_CWORD" -eq 2 ] && [ -n "$own" ]; then
    COMPREPLY=($(compgen -W "$own" -- "$current"))
    return
  fi
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
  const cases = commands.map(({ name, options, commands: own }) => {
    const words = options.map((option) =>
      quote(`${option.name}[${option.about.replaceAll("[", "(").replaceAll("]", ")")}]`),
    );
    const first = own.length === 0 ? [] : [quote(`1:command:(${joinNames(own)})`)];
    return `    ${name}) _arguments ${[...words, ...first, "'*:file:_files'"].join(" ")} ;;`;
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
  const lines = commands.flatMap(({ name, about, options, commands: own }) => [
    `complete -c donjon -n __fish_use_subcommand -f -a ${name} -d ${quote(about)}`,
    ...own.map(
      (each) =>
        `complete -c donjon -n '__fish_seen_subcommand_from ${name}' -f -a ${each.name} -d ${quote(each.about)}`,
    ),
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
