import { type CommandWords, HELP, type OptionWords, type Values, type Word } from "./words.ts";

/** The path of the command is read from the words before the cursor; each completion is for one path. */
export function createFishScript(commands: readonly CommandWords[]): string {
  const steps = commands.flatMap(({ path, commands: own }) =>
    own.map(({ name }) => quote(`${path} ${name}`)),
  );
  const lines = commands.flatMap(({ path, options, commands: own, values }) => {
    const at = `complete -c donjon -n ${quote(`__donjon_at ${path}`.trim())}`;
    return [
      ...[...own, ...(path === "" ? [HELP] : [])].map((word) => `${at} ${describeWord(word)}`),
      ...options.map((option) => `${at} ${describeOption(option)}`),
      ...(own.length > 0 || values === null ? [] : [`${at} ${act(values)}`]),
    ];
  });
  return `# fish completion for donjon
function __donjon_path
  set -l path ""
  for word in (commandline -opc)[2..-1]
    switch "$path $word"
      case ${steps.join(" ")}
        set path (string trim -- "$path $word")
    end
  end
  echo $path
end
function __donjon_at
  set -l path (__donjon_path)
  test "$path" = "$argv"
end
function __donjon_keeps
  donjon ps --all 2>/dev/null | tail -n +2 | string split -n -f 2 ' '
end
complete -c donjon -f
${lines.filter((line) => line !== "").join("\n")}
`;
}

function describeWord({ name, about }: Word): string {
  return `-a ${name} -d ${quote(about)}`;
}

function describeOption({ name, short, about, values }: OptionWords): string {
  const letter = short === undefined ? "" : ` -s ${short.slice(1)}`;
  const value = values === null ? "" : ` -r ${act(values)}`;
  return `-l ${name.slice(2)}${letter} -d ${quote(about)}${value}`;
}

function act(values: Values): string {
  if (values === "files") return "-F";
  if (values === "keeps") return "-a '(__donjon_keeps)'";
  return values === "unknown" ? "-f" : `-f -a ${quote(values.join(" "))}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
