import { type CommandWords, HELP, type OptionWords, type Values } from "./words.ts";

/** The path of the command is read from the words before the cursor; `_arguments` then sees the command's own words. */
export function createZshScript(commands: readonly CommandWords[]): string {
  const steps = commands.flatMap(({ path, commands: own }) =>
    own.map(({ name }) => `"${path} ${name}"`),
  );
  return `#compdef donjon
_donjon_keeps() {
  local -a keeps=(\${(f)"$(donjon ps --all 2>/dev/null | { read -r _; while read -r _ name _; do echo "$name"; done })"})
  _describe keep keeps
}
_donjon() {
  local route="" word
  local -i at=1 last=1
  for word in "\${(@)words[2,CURRENT-1]}"; do
    (( at++ ))
    [[ $word == -- ]] && { _files; return }
    case "$route $word" in
      (" help") last=$at ;;
      (${steps.join("|")}) route="\${route:+$route }$word"; last=$at ;;
    esac
  done
  shift $(( last - 1 )) words
  (( CURRENT -= last - 1 ))
  case "$route" in
${commands.map(createCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _donjon ]]; then
  _donjon "$@"
else
  compdef _donjon donjon
fi
`;
}

function createCase({ path, options, commands, values }: CommandWords): string {
  const names = [...commands, ...(path === "" ? [HELP] : [])];
  const specs = options.flatMap(listSpecs);
  if (names.length > 0) {
    const described = names.map(
      ({ name, about }) =>
        `${escapeAll(name, /:/g)}\\:${quoteInner(escapeAll(about, /[:()\\"]/g))}`,
    );
    specs.push(quote(`1:command:((${described.join(" ")}))`));
  } else if (values !== null) specs.push(quote(`*:${describe(values)}:${act(values)}`));
  return `    (${quote(path)}) _arguments ${specs.join(" ")} ;;`;
}

function listSpecs({ name, short, about, values }: OptionWords): string[] {
  const text = `[${escapeAll(about, /[[\]:\\]/g)}]`;
  const value = values === null ? "" : `:${describe(values)}:${act(values)}`;
  const often = values === null ? "" : "*";
  return [name, ...(short ? [short] : [])].map((each) => quote(`${often}${each}${text}${value}`));
}

function describe(values: Values): string {
  if (values === "files") return "file";
  return values === "keeps" ? "keep" : "value";
}

function act(values: Values): string {
  if (values === "files") return "_files";
  if (values === "keeps") return "_donjon_keeps";
  return values === "unknown" ? " " : `(${values.join(" ")})`;
}

function escapeAll(text: string, what: RegExp): string {
  return text.replace(what, (found) => `\\${found}`);
}

function quoteInner(text: string): string {
  return `"${text}"`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
