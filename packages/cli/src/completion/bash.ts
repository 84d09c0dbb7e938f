import { type CommandWords, HELP, type Values } from "./words.ts";

/**
 * The path of the command is read from the words before the cursor; `help` before it changes nothing. bash makes words of
 * their own of `=` signs.
 */
export function createBashScript(commands: readonly CommandWords[]): string {
  const steps = commands.flatMap(({ path, commands: own }) =>
    own.map(({ name }) => `"${path} ${name}"`),
  );
  return `# bash completion for donjon
_donjon_keeps() {
  donjon ps --all 2>/dev/null | { read -r _; while read -r _ name _; do echo "$name"; done; }
}
_donjon() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" path="" word
  COMPREPLY=()
  if [ "$current" = "=" ]; then
    current=""
  elif [ "$before" = "=" ]; then
    before="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    if [ "$word" = "--" ]; then
      COMPREPLY=($(compgen -f -- "$current"))
      return
    fi
    case "$path $word" in
      ${steps.join(" | ")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path $before" in
${listValueCases(commands).join("\n")}
  esac
  case "$path $current" in
${commands.map(createOptionsCase).join("\n")}
  esac
  case "$path" in
${commands.flatMap(listWordsCases).join("\n")}
  esac
}
complete -o filenames -F _donjon donjon
`;
}

/** Patterns of `path option`, by what they are completed with. */
function listValueCases(commands: readonly CommandWords[]): string[] {
  const patterns = new Map<string, string[]>();
  for (const { path, options } of commands) {
    for (const { name, short, values } of options) {
      if (values === null) continue;
      const known = patterns.get(complete(values)) ?? [];
      patterns.set(complete(values), known);
      known.push(...[name, ...(short ? [short] : [])].map((each) => `"${path} ${each}"`));
    }
  }
  return [...patterns].map(([reply, names]) => `    ${names.join(" | ")}) ${reply}; return ;;`);
}

function createOptionsCase({ path, options }: CommandWords): string {
  return `    "${path} -"*) ${complete(options.map(({ name }) => name))}; return ;;`;
}

function listWordsCases({ path, commands, values }: CommandWords): string[] {
  const names = [...commands, ...(path === "" ? [HELP] : [])].map(({ name }) => name);
  const words = names.length > 0 ? names : values;
  return words === null ? [] : [`    "${path}") ${complete(words)} ;;`];
}

function complete(values: Values): string {
  if (values === "files") return `COMPREPLY=($(compgen -f -- "$current"))`;
  if (values === "keeps") return `COMPREPLY=($(compgen -W "$(_donjon_keeps)" -- "$current"))`;
  if (values === "unknown") return ":";
  return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current"))`;
}
